"""Names of data sets and of their classes, and the check that labels fit them."""

import re
from pathlib import Path

import numpy as np

from anomaly_mlflow.errors import BadData

__all__ = ["CIFAR10", "CIFAR100", "FASHION", "KNOWN_CLASSES", "TEN_DIGITS", "class_names", "set_name"]

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100 = tuple(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
    man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
    pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
    skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """.split()  # noqa: SIM905
)
FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
TEN_DIGITS = tuple("0123456789")
KNOWN_CLASSES = {
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "digits": TEN_DIGITS,
    "fashionmnist": FASHION,
    "mnist": TEN_DIGITS,
    "svhn": TEN_DIGITS,
}
ROLES = {"train", "test", "val", "valid", "validation", "data", "images", "labels"}
MOST_CLASSES = 100_000


def set_name(path: Path) -> str:
    """Short name of the data set in a file or folder: its own, or its parent's where it only says `train` or so."""
    path = path.resolve()
    own = path.name if path.is_dir() else path.stem
    name = path.parent.name if own.lower() in ROLES else own
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name) or "samples"


def class_names(name: str, labels: np.ndarray, kept: np.ndarray, index: np.ndarray) -> tuple[str, ...]:
    """Names of the classes 0 .. max(labels) of data set `name`: the known ones where their number fits, else numbers.

    labels: int64 (n,), of the whole file; kept: bool (n,), the rows in use; index: int64 (n,), their ids.
    Raises BadData that names the first row in use whose label is negative or beyond a known data set's classes.
    """
    known = KNOWN_CLASSES.get(re.sub(r"[^a-z0-9]", "", name.lower()))
    limit = len(known) if known else MOST_CLASSES
    bad = np.flatnonzero(kept & ((labels < 0) | (labels >= limit)))
    if len(bad):
        range_ = f"'{name}' has {limit} classes (0 to {limit - 1})" if known else "labels count from 0"
        raise BadData(f"label {labels[bad[0]]} is out of range at index {index[bad[0]]}: {range_}")
    number = int(labels[labels < limit].max()) + 1
    return known if known and number == limit else tuple(str(label) for label in range(number))

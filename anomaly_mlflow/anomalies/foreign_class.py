"""Images of one class of another data set."""

import numpy as np

from anomaly_mlflow.anomalies.injector import generator
from anomaly_mlflow.anomalies.strangers import strangers
from anomaly_mlflow.data.encoding import re_encode
from anomaly_mlflow.data.groups import fingerprints
from anomaly_mlflow.data.listing import SOURCES, Listing, list_source, parse
from anomaly_mlflow.data.on_disk import each
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import materialise
from anomaly_mlflow.errors import BadOption, UnknownName

__all__ = ["FOREIGN", "foreign_class"]

FOREIGN = ("noise", "photographs")
"""Sources that are made here; `shuffled_patches` is none: it would be of the set's own classes."""

SPARE = 8
"""Patches of both photographs that are drawn for each one wanted of one of them."""


def foreign_class(spec: str, number: int, like: Samples, seed: int) -> tuple[np.ndarray, str]:
    """Images uint8 (number, height, width, channels) of one class of a source, in the shape and encoding of `like`.

    The class is drawn among those with enough images; of `photographs` it is one of the two photographs, `noise` is
    one class. Beside the images, the name of the class. Raises UnknownName for the source, BadOption where no class
    has enough images or they stand in `like` itself, and what a data source raises.
    """
    name = parse(spec).name
    if spec in FOREIGN:
        images, origin = _made(spec, number, like, seed)
    elif name in SOURCES:
        images, origin = _of_source(spec, number, like, seed)
    else:
        raise UnknownName("source of anomalies", name, (*SOURCES, *FOREIGN))
    known = np.isin(fingerprints(images), fingerprints(each(like.images))).sum()
    if known > 0.01 * number:
        raise BadOption(f"{known} of {number} anomalies from '{spec}' stand in '{like.name}'; name another source")
    return images, origin


def _made(spec: str, number: int, like: Samples, seed: int) -> tuple[np.ndarray, str]:
    found = strangers(spec, np.arange(number * (1 if spec == "noise" else SPARE)), like, seed)
    names = np.array([source.rpartition("#")[0] for source in found.source])
    chosen = str(generator(seed, "foreign class").choice(np.unique(names)))
    return found.images[np.flatnonzero(names == chosen)[:number]], chosen


def _of_source(spec: str, number: int, like: Samples, seed: int) -> tuple[np.ndarray, str]:
    listing, draw = list_source(spec), generator(seed, "foreign class")
    counts = np.bincount(listing.labels, minlength=len(listing.classes))
    enough = np.flatnonzero(counts >= number)
    if not len(enough):
        raise BadOption(
            f"{number} anomalies of one class are needed and the largest class of '{spec}' has {counts.max()} images; "
            "lower the ratio, or name a larger source"
        )
    label = int(draw.choice(enough))
    images = _drawn(listing, draw.permutation(np.flatnonzero(listing.labels == label)), number, like)
    if len(images) < number:
        raise BadOption(f"only {len(images)} of the {number} anomalies that are needed of '{spec}' decode")
    return re_encode(images, like.encoding), f"{listing.name}:{listing.classes[label]}"


def _drawn(listing: Listing, order: np.ndarray, number: int, like: Samples) -> np.ndarray:
    """Images that do not decode are made up for by further ones."""
    drawn = number
    while True:
        found = materialise(listing, np.sort(order[:drawn]), shape=like.image_shape)
        if len(found) >= number or drawn >= len(order):
            return found.images[:number]
        drawn += number - len(found)

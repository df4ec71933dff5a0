"""Data sets that need no path: `digits` comes with scikit-learn, `cifar10` is downloaded by torchvision."""

import hashlib
import os
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits

from anomaly_mlflow.data.listing import Listing, Spec, source
from anomaly_mlflow.data.names import CIFAR10, TEN_DIGITS
from anomaly_mlflow.errors import BadData, BadOption

__all__ = ["cifar10", "digits"]


@source()
def digits(spec: Spec) -> Listing:
    """1,797 handwritten digits of 8x8x1 and 17 grey values 0..16, stretched to 0..255 (Alpaydin, Kaynak 1998)."""
    bunch = load_digits()
    images = np.round(bunch.images * 255 / 16).astype(np.uint8)
    return _in_memory("digits", TEN_DIGITS, images, bunch.target, f"digits of scikit-learn {sklearn.__version__}", 17)


@source(where=True)
def cifar10(spec: Spec) -> Listing:
    """CIFAR-10 (Krizhevsky 2009), 32x32x3: 50,000 rows, or the 10,000 of `cifar10?split=test`.

    Kept under $ANOMALY_DOWNLOADS or ~/.cache/anomaly-mlflow. torchvision unpickles the batch files, after it has
    checked their md5 sums against the published ones; this is the one source that unpickles.
    Raises BadData where it is neither there nor to be had, BadOption for a filter other than split.
    """
    split = _split(spec)
    from torchvision.datasets import CIFAR10 as Downloaded

    root = Path(os.environ.get("ANOMALY_DOWNLOADS") or Path.home() / ".cache" / "anomaly-mlflow")
    try:
        data = Downloaded(str(root), train=split == "train", download=True)
    except (OSError, RuntimeError) as error:
        advice = f"place cifar-10-batches-py in {root} or use parquet:PATH"
        raise BadData(f"cifar10 could not be downloaded ({type(error).__name__}); {advice}") from error
    return _in_memory("cifar10", CIFAR10, data.data, data.targets, f"cifar10 {split}, md5 of torchvision")


def _split(spec: Spec) -> str:
    split = dict(spec.where).get("split", "train")
    if set(dict(spec.where)) - {"split"} or split not in ("train", "test"):
        raise BadOption("source 'cifar10' takes one filter: ?split=train or ?split=test")
    return split


def _in_memory(
    name: str, classes: tuple[str, ...], images: np.ndarray, labels: list[int], version: str, levels: int | None = None
) -> Listing:
    ids = np.arange(len(images), dtype=np.int64)
    return Listing(
        name=name,
        classes=classes,
        labels=np.asarray(labels, dtype=np.int64),
        sample_id=ids,
        groups=ids,
        read=lambda rows: iter(images[rows]),
        title=lambda row: f"index {row}",
        digest=lambda: hashlib.sha256(version.encode()).hexdigest(),
        levels=levels,
    )

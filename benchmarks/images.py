"""CIFAR-10 where $ANOMALY_DATA has it, otherwise random images of the same shape."""

import os
from pathlib import Path

import numpy as np

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load

__all__ = ["cifar", "is_real", "kind", "labels_folder"]

ROWS, TEST_ROWS = 50_000, 10_000


def cifar(rows: int = ROWS, split: str = "train") -> Samples:
    """A stratified part of CIFAR-10's training or test set, or as many random images with random labels."""
    if is_real():
        return load(f"parquet:{_folder()}/{split}.parquet", subset=rows)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (rows, 32, 32, 3), dtype=np.uint8)
    return Samples(images, np.arange(rows) % 10, np.arange(rows), tuple("0123456789"), "random")


def kind() -> str:
    """What the images are, in a word for a note."""
    return "CIFAR-10" if is_real() else "random 32 x 32"


def is_real() -> bool:
    """Whether CIFAR-10 is there."""
    return (_folder() / "train.parquet").is_file() and (_folder() / "test.parquet").is_file()


def labels_folder() -> Path:
    """Where CIFAR-10N's labels lie."""
    return _folder().parent / "cifar10n"


def _folder() -> Path:
    return Path(os.environ.get("ANOMALY_DATA", "../shared/data"), "cifar10").resolve()

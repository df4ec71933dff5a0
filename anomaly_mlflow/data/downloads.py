"""Data sets that torchvision downloads; each takes `?split=train` (default) or `?split=test`.

They are kept under $ANOMALY_DOWNLOADS or ~/.cache/anomaly-mlflow. Each raises BadData where its files are neither there
nor to be had, BadOption for a filter other than split.
"""

import os
from pathlib import Path

import numpy as np

from anomaly_mlflow.data.listing import Listing, Spec, from_arrays, source
from anomaly_mlflow.data.names import CIFAR10, CIFAR100, FASHION, TEN_DIGITS
from anomaly_mlflow.errors import BadData, BadOption

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist", "svhn"]


# torchvision unpickles the batch files of the two CIFARs, after it has checked their published md5 sums.
@source(where=True)
def cifar10(spec: Spec) -> Listing:
    """CIFAR-10 (Krizhevsky 2009), 32x32x3, 10 classes: 50,000 training and 10,000 test images."""
    return _downloaded(spec, "CIFAR10", "cifar-10-batches-py", CIFAR10)


@source(where=True)
def cifar100(spec: Spec) -> Listing:
    """CIFAR-100 (Krizhevsky 2009), 32x32x3, the 100 fine classes: 50,000 training and 10,000 test images."""
    return _downloaded(spec, "CIFAR100", "cifar-100-python", CIFAR100)


@source(where=True)
def fashion_mnist(spec: Spec) -> Listing:
    """Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), 28x28x1, 10 classes: 60,000 training and 10,000 test images."""
    return _downloaded(spec, "FashionMNIST", "FashionMNIST/raw", FASHION)


@source(where=True)
def mnist(spec: Spec) -> Listing:
    """MNIST (LeCun, Bottou, Bengio, Haffner 1998), 28x28x1, 10 digits: 60,000 training and 10,000 test images."""
    return _downloaded(spec, "MNIST", "MNIST/raw", TEN_DIGITS)


@source(where=True)
def svhn(spec: Spec) -> Listing:
    """SVHN, cropped house numbers (Netzer et al. 2011), 32x32x3, 10 digits: 73,257 training and 26,032 test images."""
    return _downloaded(spec, "SVHN", "train_32x32.mat and test_32x32.mat", TEN_DIGITS)


def _downloaded(spec: Spec, name: str, files: str, classes: tuple[str, ...]) -> Listing:
    split = _split(spec)
    from torchvision import datasets

    root = Path(os.environ.get("ANOMALY_DOWNLOADS") or Path.home() / ".cache" / "anomaly-mlflow")
    part = {"split": split} if name == "SVHN" else {"train": split == "train"}
    try:
        data = getattr(datasets, name)(str(root), **part, download=True)
    except Exception as error:  # the network, a full disk, or a broken file that torchvision's reader trips over
        there = any(root.glob("*_32x32.mat" if name == "SVHN" else f"{files}/*"))
        problem = "read, what is there is broken or incomplete" if there else "downloaded"
        advice = f"{'remove or replace' if there else 'place'} {files} in {root} or use parquet:PATH"
        raise BadData(f"{spec.name} could not be {problem} ({type(error).__name__}); {advice}") from error
    images, labels = np.asarray(data.data), np.asarray(data.labels if name == "SVHN" else data.targets)
    if name == "SVHN":
        images = images.transpose(0, 2, 3, 1)
    if len(images) != len(labels) or not np.isin(labels, np.arange(len(classes))).all():
        raise BadData(f"{spec.name}: the labels in {root} do not fit its images; remove the files and let it download")
    return from_arrays(spec.name, classes, images, labels)


def _split(spec: Spec) -> str:
    split = dict(spec.where).get("split", "train")
    if set(dict(spec.where)) - {"split"} or split not in ("train", "test"):
        raise BadOption(f"source '{spec.name}' takes one filter: ?split=train or ?split=test")
    return split

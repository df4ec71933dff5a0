import numpy as np
from image_files import real

from anomaly_mlflow.data import decode
from anomaly_mlflow.data.sources import load, load_split


def test_a_subset_of_cifar10_decodes_no_more_than_it_needs(monkeypatch):
    opened, open_ = [], decode._open
    monkeypatch.setattr(decode, "_open", lambda raw: opened.append(raw) or open_(raw))
    train = load(f"parquet:{real('cifar10/train.parquet')}", subset=1000)
    assert len(set(opened)) == 1000 and np.bincount(train.labels).tolist() == [100] * 10
    assert train.name == "cifar10" and train.classes[0] == "airplane" and train.image_shape == (32, 32, 3)
    assert len(train.encoding.jpeg_tables) == 2 and train.encoding.jpeg_subsampling == 2


def test_mnist_is_grey_and_split_by_the_files_own_test_set():
    train, test = load_split(
        f"parquet:{real('mnist/train.parquet')}", test=f"parquet:{real('mnist/test.parquet')}", subset=200
    )
    assert train.image_shape == test.image_shape == (28, 28, 1) and len(test) == 10_000
    assert train.encoding.jpeg_tables is None and train.classes == tuple("0123456789")


def test_tiny_imagenet_without_cifar10s_classes_is_a_filter_away():
    path = real("ood/tiny_imagenet_val.parquet")
    samples = load(f"parquet:{path}?cifar10_relation=none", subset=2000)
    assert samples.image_shape == (64, 64, 3) and samples.name == "tiny_imagenet_val"

import io
import struct

import numpy as np
import pandas as pd
import pytest
import torchvision
from image_files import real
from PIL import Image

from anomaly_mlflow.data.names import CIFAR100
from anomaly_mlflow.data.sources import digest, load
from anomaly_mlflow.errors import BadData

ALL = ("cifar10", "cifar100", "fashion_mnist", "mnist", "svhn")


def fake_cifar(classes):
    class Fake:
        def __init__(self, root, train, download):
            self.data = np.full((200, 32, 32, 3), 1 if train else 2, dtype=np.uint8)
            self.targets = list(range(classes)) * (200 // classes)

    return Fake


class FakeSvhn:
    def __init__(self, root, split, download):
        channels = np.arange(3, dtype=np.uint8)[None, :, None, None] + (10 if split == "train" else 20)
        self.data = np.broadcast_to(channels, (20, 3, 32, 32)).copy()  # channels first, as in torchvision
        self.data[:, :, 4, 7] = 99
        self.labels = np.arange(20) % 10


def unreachable(root, download, **part):
    raise OSError("no route to host")


def write_idx(root, part, images, labels):
    root.mkdir(parents=True, exist_ok=True)
    header = struct.pack(">HBB", 0, 8, 3) + struct.pack(">III", *images.shape)
    (root / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
    header = struct.pack(">HBB", 0, 8, 1) + struct.pack(">I", len(labels))
    (root / f"{part}-labels-idx1-ubyte").write_bytes(header + labels.astype(np.uint8).tobytes())


def read_real(name, rows=300):
    frame = pd.read_parquet(real(name)).head(rows)
    return np.stack([np.asarray(Image.open(io.BytesIO(cell))) for cell in frame["image"]]), frame["label"].to_numpy()


@pytest.mark.parametrize(("name", "classes"), [("cifar10", 10), ("cifar100", 100)])
def test_the_cifars_have_their_published_class_names(monkeypatch, name, classes):
    monkeypatch.setattr(torchvision.datasets, name.upper(), fake_cifar(classes))
    samples = load(name)
    assert len(samples.classes) == classes and samples.name == name and samples.images.max() == 1
    assert load(f"{name}?split=test").images.max() == 2
    assert digest(name) != digest(f"{name}?split=test")


def test_the_fine_names_of_cifar100_are_in_torchvisions_order():
    assert len(CIFAR100) == 100 and list(CIFAR100) == sorted(CIFAR100)
    # Positions by the published meta file: apple 0, bicycle 8, maple_tree 47, sweet_pepper 83, worm 99.
    assert [CIFAR100[at] for at in (0, 8, 47, 83, 99)] == ["apple", "bicycle", "maple_tree", "sweet_pepper", "worm"]


def test_svhn_has_its_channels_last(monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "SVHN", FakeSvhn)
    samples = load("svhn?split=test")
    assert samples.image_shape == (32, 32, 3) and samples.images[0, 5, 5].tolist() == [20, 21, 22]
    assert samples.images[0, 4, 7].tolist() == [99, 99, 99]
    assert samples.classes == tuple("0123456789") and load("svhn").images[0, 0, 0, 2] == 12


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_idx_files_that_lie_there_are_read_by_torchvisions_own_reader(monkeypatch, tmp_path, name, folder):
    monkeypatch.setenv("ANOMALY_DOWNLOADS", str(tmp_path))
    train, test = read_real(f"{name}/train.parquet"), read_real(f"{name}/test.parquet")
    write_idx(tmp_path / folder / "raw", "train", *train)
    write_idx(tmp_path / folder / "raw", "t10k", *test)
    samples = load(name)
    assert np.array_equal(samples.images[..., 0], train[0]) and np.array_equal(samples.labels, train[1])
    assert np.array_equal(load(f"{name}?split=test").images[..., 0], test[0])
    before = digest(name)
    write_idx(tmp_path / folder / "raw", "train", train[0], (train[1] + 1) % 10)
    assert digest(name) != before


def test_files_that_are_no_idx_files_end_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("ANOMALY_DOWNLOADS", str(tmp_path))
    images, labels = np.zeros((30, 28, 28), np.uint8), np.arange(30) % 10
    for part in ("train", "t10k"):
        write_idx(tmp_path / "MNIST" / "raw", part, images, labels)
    write_idx(tmp_path / "MNIST" / "raw", "train", images, labels[:20])
    with pytest.raises(BadData, match=r"the labels in .* do not fit its images"):
        load("mnist")
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"no idx file")
    with pytest.raises(
        BadData, match=f"mnist could not be read, .* remove or replace MNIST/raw in {tmp_path} or use parquet:PATH"
    ):
        load("mnist")


@pytest.mark.parametrize("name", ALL)
def test_without_network_a_download_says_what_to_do(monkeypatch, tmp_path, name):
    for one in ("CIFAR10", "CIFAR100", "FashionMNIST", "MNIST", "SVHN"):
        monkeypatch.setattr(torchvision.datasets, one, unreachable)
    monkeypatch.setenv("ANOMALY_DOWNLOADS", str(tmp_path))
    with pytest.raises(BadData, match=f"{name} could not be downloaded .*; place .* in {tmp_path} or") as caught:
        load(name)
    assert "\n" not in str(caught.value)

import numpy as np
import pytest
import torchvision
from sklearn.datasets import load_digits

from anomaly_mlflow.data.listing import SOURCES, Listing, parse, source
from anomaly_mlflow.data.sources import digest, load
from anomaly_mlflow.errors import BadData, BadOption, UnknownName


class FakeCifar:
    def __init__(self, root, train, download):
        self.data = np.full((20, 32, 32, 3), 1 if train else 2, dtype=np.uint8)
        self.targets = list(range(10)) * 2


def unreachable(root, train, download):
    raise OSError("no route to host")


def test_digits_are_stretched_to_255_and_keep_their_17_levels():
    samples = load("digits")
    assert samples.images.shape == (1797, 8, 8, 1)
    assert np.array_equal(samples.images[..., 0], np.round(load_digits().images * 255 / 16))
    assert samples.encoding.levels == 17 and len(np.unique(samples.images)) == 17
    assert samples.name == "digits" and samples.classes == tuple("0123456789")


def test_cifar10_has_its_published_class_names(monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", FakeCifar)
    samples = load("cifar10")
    assert samples.classes[1] == "automobile" and samples.name == "cifar10" and samples.images.max() == 1
    assert load("cifar10?split=test").images.max() == 2
    assert digest("cifar10") != digest("cifar10?split=test")


def test_cifar10_without_network_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", unreachable)
    monkeypatch.setenv("ANOMALY_DOWNLOADS", str(tmp_path))
    with pytest.raises(BadData, match=f"place cifar-10-batches-py in {tmp_path} or use parquet:PATH"):
        load("cifar10")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("nosuch", UnknownName, "unknown source 'nosuch'; known: cifar10, digits, imagefolder, parquet"),
        ("digits:here", BadOption, "takes no path"),
        ("digits?label=3", BadOption, "takes no filter"),
        ("parquet", BadOption, "needs a path"),
        ("parquet:x?label", BadOption, "column=value"),
        ("cifar10?split=other", BadOption, "split=train or"),
        ("cifar10?label=1", BadOption, "one filter"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused_in_one_line(spec, error, message):
    with pytest.raises(error, match=message) as caught:
        load(spec)
    assert "\n" not in str(caught.value)


def test_a_spec_has_a_name_a_path_and_filters():
    spec = parse("parquet:/a:b/c.parquet?x=1&y=p=q")
    assert (spec.name, str(spec.path), spec.where) == ("parquet", "/a:b/c.parquet", (("x", "1"), ("y", "p=q")))


def test_a_taken_source_name_is_refused():
    def digits(spec) -> Listing: ...

    with pytest.raises(ValueError, match="registered already"):
        source()(digits)
    assert set(SOURCES) == {"cifar10", "digits", "imagefolder", "parquet"}

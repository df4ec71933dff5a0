import numpy as np
import pytest
from sklearn.datasets import load_digits

from anomaly_mlflow.data.listing import SOURCES, Listing, parse, source
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import BadOption, UnknownName


def test_digits_are_stretched_to_255_and_keep_their_17_levels():
    samples = load("digits")
    assert samples.images.shape == (1797, 8, 8, 1)
    assert np.array_equal(samples.images[..., 0], np.round(load_digits().images * 255 / 16))
    assert samples.encoding.levels == 17 and len(np.unique(samples.images)) == 17
    assert samples.name == "digits" and samples.classes == tuple("0123456789")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("nosuch", UnknownName, "unknown source 'nosuch'; known: cifar10, cifar100, digits, "),
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
    assert SOURCES["digits"].function is not digits

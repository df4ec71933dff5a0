import numpy as np
import pytest

from anomaly_mlflow.data.sources import load, load_split
from anomaly_mlflow.data.split import long_tailed
from anomaly_mlflow.errors import BadData, BadOption

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(5), 1000))


def test_class_sizes_fall_exponentially_to_the_factor():
    # 1000 * 16^(-c / 4)
    assert np.bincount(LABELS[long_tailed(LABELS, 16, 0)]).tolist() == [1000, 500, 250, 125, 62]


@pytest.mark.parametrize(
    ("classes", "rows", "factor", "total"),
    [(10, 5000, 10, 20431), (10, 5000, 100, 12406), (100, 500, 10, 19573), (100, 500, 50, 12608)],
    ids=["CIFAR-10, 10", "CIFAR-10, 100", "CIFAR-100, 10", "CIFAR-100, 50"],
)
def test_totals_are_those_of_long_tailed_cifar_in_the_literature(classes, rows, factor, total):
    assert len(long_tailed(np.arange(classes * rows) % classes, factor, 3)) == total


def test_the_seed_alone_decides_and_a_larger_factor_keeps_no_other_rows():
    first, again, other = (long_tailed(LABELS, 10, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert set(long_tailed(LABELS, 50, 1)) < set(first) and (np.diff(first) > 0).all()
    assert np.array_equal(long_tailed(LABELS, 1, 0), np.arange(len(LABELS)))


def test_a_class_that_is_small_already_keeps_its_rows():
    labels = np.repeat([0, 1, 2], [100, 20, 40])
    # 100, 100 / sqrt(4) = 50 and 25 are allowed
    assert np.bincount(labels[long_tailed(labels, 4, 0)]).tolist() == [100, 20, 25]


@pytest.mark.parametrize("factor", [0.5, 0.0, -2.0, np.nan, np.inf])
def test_a_factor_that_makes_no_sense_is_refused(factor):
    with pytest.raises(BadOption, match="makes no sense"):
        long_tailed(LABELS, factor, 0)


def test_a_tail_too_thin_is_refused_and_the_factor_named_works():
    with pytest.raises(BadOption, match=r"imbalance=200 leaves a class fewer than 10 rows; choose at most 100$"):
        long_tailed(LABELS, 200, 0)
    assert np.bincount(LABELS[long_tailed(LABELS, 100, 0)])[4] == 10


def test_a_training_set_gets_a_long_tail_and_its_test_set_none():
    whole, tested = load_split("digits", seed=2)
    tail, still_tested = load_split("digits", imbalance=8, seed=2)
    assert np.array_equal(still_tested.sample_id, tested.sample_id)
    assert set(tail.sample_id) < set(whole.sample_id)
    counts = np.bincount(tail.labels)
    assert counts[0] / counts[9] == pytest.approx(8, abs=0.5) and (np.diff(counts) <= 1).all()
    source = load("digits")
    rows = np.searchsorted(source.sample_id, tail.sample_id)
    assert np.array_equal(source.images[rows], tail.images) and np.array_equal(source.labels[rows], tail.labels)


def test_a_subset_of_a_long_tail_keeps_its_proportions():
    counts = np.bincount(load_split("digits", imbalance=4, subset=300, seed=0)[0].labels)
    assert counts.sum() == 300 and counts[0] / counts[9] == pytest.approx(4, abs=0.4)
    with pytest.raises(BadData, match="at least 10 are needed"):
        load_split("digits", imbalance=8, subset=150)

"""The population stability index by hand, by numpy's histogram, and its p value by scipy's permutation test."""

import numpy as np
import pytest
from scipy.stats import permutation_test

from anomaly_mlflow.detection.stability import PERMUTATIONS, population_stability_index, stability_test


def by_histogram(reference, batch):
    """As written down: equal-width bins over the reference's range, the outer ones open, 1e-8 added to each count."""
    edges = np.linspace(reference.min(), reference.max(), 11)
    edges[[0, -1]] = -np.inf, np.inf
    p, q = (np.histogram(values, edges)[0] + 1e-8 for values in (reference, batch))
    p, q = p / p.sum(), q / q.sum()
    return ((p - q) * np.log(p / q)).sum()


def test_the_index_of_two_bins_is_that_by_hand():
    # 3 of 4 in the first bin and 1 in the last against 1 and 3: 2 * (3/4 - 1/4) * ln 3
    assert population_stability_index(np.array([0.0, 0, 0, 10]), np.array([0.5, 10, 9, 10])) == pytest.approx(
        (3 / 4 - 1 / 4) * np.log(3) * 2
    )


def test_values_beyond_the_range_of_the_reference_fall_into_the_outer_bins():
    reference = np.repeat(np.arange(11.0), 5)
    inside, outside = np.array([0.0, 10.0]), np.array([-1e6, 1e6])
    assert population_stability_index(reference, inside) == population_stability_index(reference, outside)


def test_equal_samples_have_index_zero_and_p_one():
    values = np.random.default_rng(0).normal(size=(50, 1))
    index, p = stability_test(values, values)
    assert index[0] == 0 and p[0] == 1


@pytest.mark.parametrize(("m", "n", "digits"), [(300, 40, 8), (40, 300, 8), (90, 90, 1), (7, 3, 0), (20, 1, 8)])
def test_the_index_is_that_of_numpys_histogram(m, n, digits):
    rng = np.random.default_rng(m)
    reference, batch = (rng.normal(size=size).round(digits) for size in (m, n))  # rounded: ties, also at edges
    assert population_stability_index(reference, batch) == pytest.approx(by_histogram(reference, batch), abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_p_value_is_that_of_scipys_permutation_test(shift):
    rng = np.random.default_rng(3)
    reference, batch = rng.normal(size=60), rng.normal(size=40) + shift
    theirs = permutation_test((reference, batch), by_histogram, n_resamples=999, alternative="greater", rng=1)
    index, p = stability_test(reference[:, None], batch[:, None])
    assert index[0] == pytest.approx(theirs.statistic)
    spread = np.sqrt(2 * theirs.pvalue * (1 - theirs.pvalue) / PERMUTATIONS)
    assert abs(p[0] - theirs.pvalue) <= 4 * spread


def test_the_rule_of_thumb_is_passed_by_chance_and_the_p_value_is_not():
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(500, 1)), rng.normal(size=(100, 1))) for _ in range(100)]
    found = [stability_test(*pair, seed=seed) for seed, pair in enumerate(pairs)]
    assert np.mean([index[0] > 0.25 for index, _ in found]) > 0.1
    assert np.mean([p[0] <= 0.05 for _, p in found]) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 100)


def test_a_single_value_everywhere_makes_no_difference():
    index, p = stability_test(np.zeros((5, 1)), np.zeros((3, 1)))
    assert index[0] == pytest.approx(0, abs=1e-7) and p[0] == 1


def test_many_divisions_are_made_a_part_at_a_time_without_a_change(monkeypatch):
    rng = np.random.default_rng(0)
    reference, batch = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    whole = stability_test(reference, batch)
    monkeypatch.setattr("anomaly_mlflow.detection.stability.CELLS", 1000)
    assert np.array_equal(whole, stability_test(reference, batch))

"""How much rows look like probes, in a set whose share of errors is known."""

import numpy as np
import pytest

from anomaly_mlflow.detection.likeness import probe_likeness
from anomaly_mlflow.detection.probe_calibration import probe_share

N, PROBES, SHARE = 4000, 300, 0.15


@pytest.fixture
def world():
    """One signal of ten sees errors well; the last 200 rows are probes of another kind."""
    rng = np.random.default_rng(0)
    wrong = rng.random(N) < SHARE
    shifted = np.concatenate([wrong, np.ones(PROBES, bool), np.zeros(200, bool)])
    X = rng.normal(size=(len(shifted), 10)) + np.outer(shifted, [0.0] * 9 + [3.0])
    rows = np.arange(len(shifted))
    return X, (rows >= N) & (rows < N + PROBES), rows < N


def test_it_bounds_the_share_of_errors_more_closely_than_a_mean_of_the_same_signals(world):
    X, probe, untouched = world
    likeness, mean = probe_likeness(X, probe, untouched, np.arange(len(X)), 0), X.mean(axis=1)
    bounds = [probe_share(score[probe], score[untouched]) for score in (likeness, mean)]
    assert SHARE - 0.02 < bounds[0] < SHARE + 0.02 and bounds[1] > SHARE + 0.05


def test_rows_that_are_neither_probe_nor_untouched_have_none(world):
    X, probe, untouched = world
    likeness = probe_likeness(X, probe, untouched, np.arange(len(X)), 0)
    assert np.isnan(likeness[~(probe | untouched)]).all() and not np.isnan(likeness[probe | untouched]).any()


def test_a_row_in_the_group_of_a_probe_is_held_out_with_it(world):
    X, probe, untouched = world
    twins = np.flatnonzero(probe)[:100]
    X, groups = np.append(X, X[twins], axis=0), np.append(np.arange(len(X)), twins)
    probe, untouched = np.append(probe, np.zeros(100, bool)), np.append(untouched, np.ones(100, bool))
    likeness = probe_likeness(X, probe, untouched, groups, 0)
    assert likeness[twins] == pytest.approx(likeness[-100:])

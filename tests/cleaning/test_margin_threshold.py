"""Areas under the margin beside those of rows that bear a class of their own."""

import numpy as np
import pytest

from anomaly_mlflow.cleaning.base import find_cleaner
from anomaly_mlflow.cleaning.margin_threshold import below_threshold
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.training.threshold_samples import ThresholdRun

AREAS = np.arange(100.0)


def run(margins, number):
    """Four rows of these areas, then twice a hundred rows, of which those of this number are threshold rows."""
    threshold = np.r_[np.zeros(4, bool), np.arange(200) // 100 == number]
    others = np.where(threshold[4:], np.tile(AREAS, 2), 500.0)
    return ThresholdRun(threshold, np.r_[margins, others].astype(np.float32))


def cleaned(*runs):
    n = len(runs[0].threshold)
    return find_cleaner("aum_threshold")(Evidence(np.arange(n), np.arange(n) % 2, 2, threshold_runs=runs))


def test_a_row_is_below_where_more_than_one_threshold_row_in_a_hundred_lies_above():
    assert below_threshold(run([97.5, 98.5, 200.0, -3.0], 0))[:4].tolist() == [True, False, False, True]


def test_a_row_is_dropped_only_where_every_training_says_so():
    found = cleaned(run([1, 1, 150, 99], 0), run([1, 150, 150, 1], 1))
    assert found.kept[:4].tolist() == [False, True, True, True]
    assert found.trust[2] > found.trust[1] > found.trust[0]
    assert np.array_equal(found.labels, np.arange(204) % 2), "it selects, and proposes no label"


def test_a_threshold_row_is_judged_by_the_training_in_which_it_bore_its_own_label():
    first, second = run([500.0] * 4, 0), run([500.0] * 4, 1)
    second.margin[4:54] = -9.0  # half of the first training's threshold rows
    found = cleaned(first, second)
    assert not found.kept[4:54].any() and found.kept[54:].all()


def test_rows_that_no_training_judged_are_refused():
    with pytest.raises(BadData, match="run train_thresholds again"):
        cleaned(run([1.0] * 4, 0), run([1.0] * 4, 0))

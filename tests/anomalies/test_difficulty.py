import numpy as np
import pytest

from anomaly_mlflow.anomalies.difficulty import hard_rows, out_of_fold_margin
from anomaly_mlflow.errors import BadData, BadOption


def test_the_margin_is_the_true_probability_less_the_largest_other():
    logits = np.log([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.25, 0.25, 0.5]])
    assert np.allclose(out_of_fold_margin(logits, np.array([0, 1, 2])), [0.5, -0.5, 0.25])


def test_huge_half_precision_logits_stay_finite():
    logits = np.array([[6e4, -6e4], [-6e4, 6e4]], dtype=np.float16)
    assert out_of_fold_margin(logits, np.array([0, 0])).tolist() == [1.0, -1.0]


def test_exactly_the_share_of_lowest_margins_is_hard():
    margin = np.array([0.5, -0.2, 0.9, 0.1, 0.1, 0.1, 0.7, 0.8, 0.6, 1.0])
    assert np.flatnonzero(hard_rows(margin, 0.3)).tolist() == [1, 3, 4]
    assert hard_rows(margin, 0).sum() == 0 and hard_rows(margin, 1.0).sum() == 10
    assert hard_rows(np.zeros(1000), 0.0699).sum() == 70


def test_a_share_or_margin_that_makes_no_sense_is_refused():
    with pytest.raises(BadOption, match=r"1\.5"):
        hard_rows(np.zeros(3), 1.5)
    with pytest.raises(BadData, match="1 out-of-fold margins are not finite"):
        hard_rows(np.array([0, np.nan]), 0.5)

"""Precision at the number of positives, by hand."""

import numpy as np
import pytest

from anomaly_mlflow.detection.precision import precision_at_positives_of


def test_precision_at_the_number_of_positives_by_hand() -> None:
    positive = np.array([True, False, True, False, True])
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0])  # three positives, two of them among the first three
    assert precision_at_positives_of(scores, positive)(np.ones((1, 5)))[0, 0] == pytest.approx(2 / 3)
    doubled = np.array([[2.0, 1.0, 0.0, 1.0, 0.0]])  # two positives by weight, both at the top
    assert precision_at_positives_of(scores, positive)(doubled)[0, 0] == pytest.approx(1.0)


def test_rows_that_tie_at_the_cut_count_in_even_shares() -> None:
    positive = np.array([True, True, False, False])
    assert precision_at_positives_of(np.zeros(4), positive)(np.ones((1, 4)))[0, 0] == pytest.approx(0.5)


def test_without_positive_weight_there_is_no_value() -> None:
    positive, nothing = np.array([True, False]), np.array([[0.0, 1.0]])
    assert np.isnan(precision_at_positives_of(np.arange(2.0), positive)(nothing)).all()

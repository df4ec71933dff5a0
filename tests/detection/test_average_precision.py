"""Average precision under row weights, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from anomaly_mlflow.detection.measures import auroc_of, average_precision_of, rates_of, together


def drawn(n=300, seed=0):
    generator = np.random.default_rng(seed)
    positive = generator.random(n) < 0.2
    scores = np.round(generator.normal(size=(2, n)) + positive, 1)  # with many ties
    return scores, positive, generator.integers(0, 4, (6, n)).astype(float)


def test_it_equals_scikit_learns_with_the_same_weights_ties_included():
    scores, positive, weights = drawn()
    found = average_precision_of(scores, positive, np.zeros(300, dtype=int))(weights)
    wanted = [[average_precision_score(positive, row, sample_weight=w) for row in scores] for w in weights]
    assert found == pytest.approx(np.array(wanted), abs=1e-12)


def test_by_hand_three_rows():
    # Ranked: right, wrong, right: precision 1 and 2/3.
    found = average_precision_of(np.array([[3.0, 2.0, 1.0]]), np.array([True, False, True]), np.zeros(3, int))
    assert found(np.ones((1, 3))).item() == pytest.approx((1 + 2 / 3) / 2)


def test_of_several_folds_it_is_the_mean_over_positive_rows_each_ranked_within_its_own_fold():
    scores, positive, weights = drawn()
    fold = np.arange(300) % 3
    shifted = scores + 100.0 * fold  # the level of a fold's own model tells nothing
    found = average_precision_of(shifted, positive, fold)(weights)
    parts = [fold == number for number in range(3)]
    for draw, w in enumerate(weights):
        each = [average_precision_score(positive[p], scores[0][p], sample_weight=w[p]) for p in parts]
        share = [w[p & positive].sum() for p in parts]
        assert found[draw, 0] == pytest.approx(np.average(each, weights=share), abs=1e-12)


def test_folds_without_both_classes_are_left_out_and_none_left_is_no_value():
    scores, positive, _ = drawn()
    fold = np.where(np.arange(300) < 150, 0, np.where(positive, 1, 2))
    ones = np.ones((1, 300))
    assert average_precision_of(scores, positive, fold)(ones)[0, 0] == pytest.approx(
        average_precision_score(positive[:150], scores[0, :150])
    )
    assert np.isnan(average_precision_of(scores, positive, positive.astype(int))(ones)).all()


def test_measures_taken_together_are_what_each_is_alone():
    scores, positive, weights = drawn()
    fold = np.zeros(300, dtype=int)
    both = together(auroc_of(scores, positive, fold), rates_of(scores > 0.5, positive))(weights)
    assert both.shape == (6, 2, 4)
    assert both[:, :, 1:] == pytest.approx(rates_of(scores > 0.5, positive)(weights))
    assert both[0, 0, 0] == pytest.approx(roc_auc_score(positive, scores[0], sample_weight=weights[0]))

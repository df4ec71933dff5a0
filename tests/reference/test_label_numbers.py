"""The given label beside outputs: by hand, and against cleanlab."""

import numpy as np
import pytest
from planted_outputs import outputs, random_outputs
from services import library

from anomaly_mlflow.signals import find

SCORES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("seed", range(3))
def test_a_score_is_one_less_cleanlabs_label_quality(name, seed):
    p, labels = random_outputs(seed)
    expected = 1 - library("cleanlab.rank").get_label_quality_scores(labels, p, method=name)
    np.testing.assert_allclose(find(name)(outputs(p, labels)), expected, atol=1e-6)


def test_a_label_that_fits_perfectly_is_least_suspicious_where_cleanlab_turns_over():
    p = np.array([[1.0, 0.0], [1 - 1e-9, 1e-9], [0.9, 0.1], [0.5, 0.5]])
    quality = library("cleanlab.rank").get_label_quality_scores(np.zeros(4, int), p, method=SCORES[2])
    assert quality[0] < quality[1] < quality[3] < quality[2]
    ours = find(SCORES[2])(outputs(p, np.zeros(4, int)))
    assert 0 <= ours[0] <= ours[1] < 1e-7 < ours[2] < ours[3]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [{}, {"classes": 2}, {"sharpness": 3.0}, {"absent": (1, 4)}], ids=str)
def test_the_confident_joint_flags_what_cleanlab_flags(seed, shape):
    p, labels = random_outputs(seed, **shape)
    flags = library("cleanlab.filter").find_label_issues(labels, p, filter_by="confident_learning", n_jobs=1)
    ours = find("confident_joint")(outputs(p, labels))
    np.testing.assert_array_equal(ours, flags)
    assert 0 < flags.sum() < len(flags)


def test_a_label_off_the_diagonal_that_the_model_predicts_is_not_flagged():
    # thresholds .9 and .4: row 0 is confident of class 1 alone, yet class 0, its label, is predicted
    p, labels = np.array([[0.6, 0.4], [1, 0], [1, 0], [1, 0], [0.6, 0.4]]), np.array([0, 0, 0, 0, 1])
    joint = library("cleanlab.count").compute_confident_joint
    _, off_diagonal = joint(labels, p, calibrate=False, return_indices_of_off_diagonals=True)
    np.testing.assert_array_equal(off_diagonal, [0])
    np.testing.assert_array_equal(find("confident_joint")(outputs(p, labels)), np.zeros(5))


def test_the_confident_joint_by_hand():
    # thresholds: class 0 (.9 + .3 + .8) / 3 = 2/3; class 1 (.6 + .5) / 2 = .55; class 2 none: never
    p = [[0.9, 0.1, 0], [0.3, 0.7, 0], [0.8, 0.2, 0], [0.4, 0.6, 0], [0.2, 0.5, 0.3]]
    # row 1: class 1 alone is confident; the last row: none is
    np.testing.assert_array_equal(find("confident_joint")(outputs(p, [0, 0, 0, 1, 1])), [0, 1, 0, 0, 0])


def test_a_label_that_ties_with_the_confident_class_is_not_flagged():
    # thresholds .35 of class 1 (its rows .5 and .2), .5 of class 0: row 0 is confident of both and of label 1
    p = [[0.5, 0.5], [0.8, 0.2], [0.5, 0.5]]
    np.testing.assert_array_equal(find("confident_joint")(outputs(p, [1, 1, 0])), [0, 1, 0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("label_margin", [0.5 - 0.25, 0.25 - 0.5, 0.5 - 0.125]),
        ("label_rank", [1, 0, 2]),
    ],
)
def test_the_label_beside_a_half_a_quarter_and_two_eighths(name, expected):
    evidence = outputs([[1 / 4, 1 / 2, 1 / 8, 1 / 8]] * 3, [0, 1, 2], "logits")
    np.testing.assert_allclose(find(name)(evidence), expected, rtol=1e-12)


@pytest.mark.parametrize("name", [*SCORES, "confident_joint"])
def test_one_row_and_one_class_give_finite_values(name):
    for p, labels in (([[1.0, 0.0]], [0]), ([[1.0, 0.0]], [1]), (np.full((4, 3), 1 / 3), [0, 1, 2, 0])):
        assert np.isfinite(find(name)(outputs(p, labels))).all()


def test_the_log_odds_are_those_of_the_best_other_class_and_do_not_saturate():
    p = np.array([[0.6, 0.3, 0.1], [0.1, 0.3, 0.6], [1.0, 1e-30, 1e-40]])
    found = find("log_odds")(outputs(p, [0, 0, 2]))
    np.testing.assert_allclose(found, [np.log(0.5), np.log(6), 40 * np.log(10)], atol=1e-4)

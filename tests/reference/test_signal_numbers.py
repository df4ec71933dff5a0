"""Numbers worked out by hand, and agreement with libraries where they offer the same quantity."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy as scipy_entropy
from services import library
from sklearn.metrics import log_loss

from anomaly_mlflow.signals import Evidence, find, suggested_label
from anomaly_mlflow.training.recording import Recording

LN2 = np.log(2)


def value(name, evidence):
    return find(name)(evidence)


def recorded(logits, labels):
    """Evidence of logits (epochs, n, classes)."""
    labels, ids = np.asarray(labels), np.arange(len(labels))
    recording = Recording(np.asarray(logits, dtype=np.float64), labels, ids, np.full(len(logits), 0.1))
    return Evidence(ids, labels, recording.logits.shape[2], recording=recording)


def outputs(probabilities, labels=(0,)):
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(np.atleast_2d(probabilities)), -60.0)
    return Evidence(np.arange(len(labels)), np.asarray(labels), logits.shape[1], logits=logits)


class TestFourSamplesOverThreeEpochs:
    """Given labels 0, 1, 2, 0; margins 2 2 3, 1 -1 2, -1 -1 3, -2 -1 -3."""

    evidence = recorded(
        [
            [[2, 0, 0], [0, 1, 0], [1, 0, 0], [0, 2, 0]],
            [[3, 1, 0], [2, 1, 0], [0, 2, 1], [0, 1, 0]],
            [[4, 0, 1], [0, 3, 1], [0, 0, 3], [0, 0, 3]],
        ],
        [0, 1, 2, 0],
    )

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("area_under_margin", [-7 / 3, -2 / 3, -1 / 3, 2]),
            ("forgetting", [0, 1, 0, 0]),
            ("never_learnt", [0, 0, 0, 1]),
            ("wrong_events", [0, 1, 2, 3]),
            ("first_learnt", [0, 0, 2, 3]),
            ("final_loss", [np.log(1 + np.e**-4 + np.e**-3), np.log(1 + np.e**-3 + np.e**-2)]),
        ],
    )
    def test_is_as_counted_by_hand(self, name, expected):
        np.testing.assert_allclose(value(name, self.evidence)[: len(expected)], expected, rtol=1e-6)


def losses_in_ln2(*halvings):
    """Two classes, label 0 with probability 2 ** -h in each epoch."""
    p = 2.0 ** -np.asarray(halvings, dtype=float)
    return recorded(np.log(np.stack([p, 1 - p], axis=-1))[:, None, :], [0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean_loss", 2.5),
        ("loss_std", 1.25**0.5),  # deviations .5 -.5 1.5 -1.5
        ("final_loss", 1),
        ("min_loss", 1),
        ("loss_slope", -0.4),  # (-1.5*3 - .5*2 + .5*4 + 1.5*1) / 5
        ("late_loss_slope", -3),
        ("loss_rebound", 2),
    ],
)
def test_a_loss_that_goes_3_2_4_1_in_units_of_ln_2(name, expected):
    np.testing.assert_allclose(value(name, losses_in_ln2(3, 2, 4, 1)), [expected * LN2], rtol=1e-5)


def test_the_same_loss_turns_twice_and_its_confidence_varies():
    evidence = losses_in_ln2(3, 2, 4, 1)
    np.testing.assert_array_equal(value("loss_sign_changes", evidence), [2])
    np.testing.assert_allclose(value("confidence_variability", evidence), [np.std([2, 4, 1, 8]) / 16], rtol=1e-5)


def test_a_rebound_is_measured_from_the_lowest_loss_before_it():
    np.testing.assert_allclose(value("loss_rebound", losses_in_ln2(5, 1, 2, 4, 3)), [3 * LN2], rtol=1e-5)
    np.testing.assert_allclose(value("loss_rebound", losses_in_ln2(5, 4, 2, 1)), [0], atol=1e-6)


def test_a_loss_that_stands_still_does_not_turn():
    np.testing.assert_array_equal(value("loss_sign_changes", losses_in_ln2(3, 2, 2, 3)), [0])


def test_late_log_odds_takes_the_best_other_class_of_the_mean():
    # epochs 1 and 2 are the late half of 3; means 1/4, 5/16, 7/16: class 1 leads epoch 1, class 2 the mean
    evidence = recorded(np.log([[[0.9, 0.05, 0.05]], [[1 / 8, 1 / 2, 3 / 8]], [[3 / 8, 1 / 8, 1 / 2]]]), [0])
    np.testing.assert_allclose(value("late_log_odds", evidence), [np.log(7 / 4)], rtol=1e-6)
    np.testing.assert_array_equal(suggested_label(evidence.recording), [2])


def test_late_log_odds_stays_finite_where_probabilities_underflow():
    evidence = recorded(np.full((4, 1, 2), [0.0, 30000.0]), [0])
    np.testing.assert_allclose(value("late_log_odds", evidence), [30000.0])


def test_mid_entropy_is_of_the_middle_third():
    even, sure = [0.5, 0.5], [1 - 1e-12, 1e-12]
    evidence = recorded(np.log([[p] for p in (sure, sure, even, even, sure, sure)]), [0])
    np.testing.assert_allclose(value("mid_entropy", evidence), [LN2], rtol=1e-6)


def test_area_under_margin_is_that_of_the_aum_package(tmp_path):
    calculator = library("aum").AUMCalculator(tmp_path)
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(7, 30, 5)).astype(np.float16), rng.integers(0, 5, 30)
    for epoch in logits.astype(np.float32):
        records = calculator.update(torch.from_numpy(epoch), torch.from_numpy(labels), list(range(30)))
    expected = [-records[row].aum for row in range(30)]
    np.testing.assert_allclose(value("area_under_margin", recorded(logits, labels)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("entropy", 1.75 * LN2), ("confidence", 1 / 2), ("top2_margin", 3 / 4), ("loss", 2 * LN2)],
)
def test_a_distribution_of_a_half_a_quarter_and_two_eighths(name, expected):
    np.testing.assert_allclose(value(name, outputs([1 / 4, 1 / 2, 1 / 8, 1 / 8])), [expected], rtol=1e-12)


def test_entropy_and_loss_agree_with_scipy_and_scikit_learn():
    rng = np.random.default_rng(1)
    p, labels = rng.dirichlet(np.full(6, 0.3), size=50), rng.integers(0, 6, 50)
    np.testing.assert_allclose(value("entropy", outputs(p, labels)), scipy_entropy(p, axis=1), rtol=1e-9)
    expected = log_loss(labels, p, labels=range(6))
    np.testing.assert_allclose(value("loss", outputs(p, labels)).mean(), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stochastic_variance", 1 / 16),  # p = 1/2 and 1: variance 1/16 in both classes
        ("expected_entropy", LN2 / 2),
        ("mutual_information", -0.75 * np.log(0.75) - 0.25 * np.log(0.25) - LN2 / 2),
    ],
)
def test_two_passes_of_which_one_is_sure(name, expected):
    passes = np.array([[[0.0, 0.0]], [[60.0, 0.0]]])
    evidence = Evidence(np.arange(1), np.zeros(1, np.int64), 2, stochastic=passes)
    np.testing.assert_allclose(value(name, evidence), [expected], rtol=1e-12)


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_dynamics_are_finite_however_few_the_epochs(epochs):
    evidence = recorded(np.random.default_rng(5).normal(size=(epochs, 6, 2)), [0, 1] * 3)
    for name in ("loss_slope", "late_loss_slope", "loss_rebound", "loss_sign_changes", "forgetting", "mid_entropy"):
        assert np.isfinite(value(name, evidence)).all()

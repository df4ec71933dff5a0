"""Simulated sets whose share of errors is known, and cleanlab's joint."""

import numpy as np
import pytest
from scipy.stats import norm

from anomaly_mlflow.detection.probe_calibration import (
    error_probability,
    error_ratio,
    estimate_prior,
    expected_calibration_error,
    joint_share,
    probe_share,
    recall_at,
    threshold_at,
)

N, PROBES = 8000, 600


def world(share, seed=0, shift=2.0):
    """Suspicion of untouched rows and of probes as hard to find as the errors; which untouched rows are wrong."""
    rng = np.random.default_rng(seed)
    wrong = rng.random(N) < share
    score = np.append(rng.normal(size=N) + shift * wrong, rng.normal(size=PROBES) + shift)
    probe = np.arange(N + PROBES) >= N
    return score, probe, wrong


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_with_the_true_prior_the_probability_of_error_is_calibrated(share):
    score, probe, wrong = world(share)
    probability = error_probability(error_ratio(score, probe, ~probe), share)
    assert expected_calibration_error(probability, wrong) < 0.03
    bayes = share * norm.pdf(score[:N], 2) / (share * norm.pdf(score[:N], 2) + (1 - share) * norm.pdf(score[:N]))
    assert np.abs(probability - bayes).mean() < 0.045


def test_the_probability_rises_with_the_suspicion():
    score, probe, _ = world(0.2)
    probability = error_probability(error_ratio(score, probe, ~probe), 0.2)
    assert (np.diff(probability[np.argsort(score[:N])]) >= 0).all()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_the_share_by_probes_bounds_the_true_share_closely_where_probes_are_like_errors(share):
    score, probe, _ = world(share, shift=3.5)
    assert share - 0.02 < probe_share(score[probe], score[~probe]) < share + 0.04


def test_the_predicted_recall_at_five_percent_is_the_true_one():
    score, probe, wrong = world(0.2)
    own = score[:N]
    threshold = threshold_at(own, error_probability(error_ratio(score, probe, ~probe), 0.2), 0.05)
    assert (own[~wrong] > threshold).mean() == pytest.approx(0.05, abs=0.01)
    assert recall_at(score[probe], threshold) == pytest.approx((own[wrong] > threshold).mean(), abs=0.04)


def labelled(share, seed=0, classes=4):
    """Probabilities of a fair model and labels of which a share is wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, N)
    logits = rng.normal(size=(N, classes)) + 3 * np.eye(classes)[true]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    step = rng.integers(1, classes, N) * (rng.random(N) < share)
    return p, (true + step) % classes


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_joints_share_is_cleanlabs(share):
    count = pytest.importorskip("cleanlab.count")
    p, labels = labelled(share)
    assert joint_share(p, labels) == pytest.approx(1 - np.trace(count.estimate_joint(labels, p)), abs=1e-3)


def test_the_prior_is_the_lower_of_two_estimates_and_its_interval_holds_it():
    p, labels = labelled(0.2)
    score, probe, _ = world(0.2)
    p, labels = np.concatenate([p, p[:PROBES]]), np.concatenate([labels, labels[:PROBES]])
    prior = estimate_prior(score, probe, ~probe, p, labels, draws=100)
    assert prior.share.value == min(prior.by_probes, prior.by_joint) == pytest.approx(0.2, abs=0.04)
    assert prior.share.low <= prior.share.value <= prior.share.high


def test_the_calibration_error_by_hand():
    assert expected_calibration_error(np.full(30, 0.25), np.zeros(30, bool)) == pytest.approx(0.25)
    # Equal probabilities share a bin: 14 rows say 0 and are right, 16 say 1 and half of them are wrong.
    probability, wrong = np.repeat([0.0, 1.0], [14, 16]), np.append(np.zeros(14, bool), np.tile([True, False], 8))
    assert expected_calibration_error(probability, wrong) == pytest.approx(16 / 30 * 0.5)

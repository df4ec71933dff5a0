"""The epoch at which a model hesitates most visibly is found without the truth."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from anomaly_mlflow.cleaning.base import find_cleaner
from anomaly_mlflow.cleaning.entropy_window import separation, window
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.training.recording import Recording

N, CLASSES, EPOCHS, WRONG = 600, 5, 14, 0.2


@pytest.fixture(scope="module")
def hesitating():
    """Wrong labels pull against the looks of the image from epoch 4 to 8, then they are learnt by heart."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, N)
    given = np.where(rng.random(N) < WRONG, (truth + rng.integers(1, CLASSES, N)) % CLASSES, truth)
    looks, pull = np.clip(np.arange(EPOCHS) * 2.0, 0, 6), np.clip((np.arange(EPOCHS) - 3) * 1.5, 0, 20)
    logits = looks[:, None, None] * np.eye(CLASSES)[truth] + 0.5 * rng.normal(size=(EPOCHS, N, CLASSES))
    logits += pull[:, None, None] * np.eye(CLASSES)[given]
    recording = Recording(logits.astype(np.float16), given, np.arange(N), np.ones(EPOCHS))
    return Evidence(np.arange(N), given, CLASSES, recording=recording), truth


@pytest.mark.parametrize("name", ["entropy_window", "loss_window"])
def test_wrong_labels_are_caught_before_they_are_learnt_by_heart(hesitating, name):
    evidence, truth = hesitating
    wrong = evidence.labels != truth
    assert evidence.recording.correct[-1].mean() > 0.97, "in the end all is learnt by heart"
    cleaned = find_cleaner(name)(evidence)
    assert roc_auc_score(wrong, 1 - cleaned.trust) > 0.95
    assert cleaned.kept[~wrong].mean() > 0.95 and cleaned.kept[wrong].mean() < 0.1
    assert (cleaned.labels == evidence.labels)[cleaned.kept].all()


def test_the_window_of_the_entropies_is_while_both_pull(hesitating):
    entropy = hesitating[0].recording.entropy
    epoch, lower = window(entropy)
    assert 4 <= epoch <= 9 and separation(entropy[epoch], lower) > 2


def test_entropy_does_not_notice_a_model_that_is_sure_of_another_class():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, CLASSES, N)
    given = np.where(rng.random(N) < WRONG, (truth + 1) % CLASSES, truth)
    ease = rng.normal(1, 0.2, size=(N, 1))
    logits = 6 * ease * np.eye(CLASSES)[truth] + 0.5 * rng.normal(size=(EPOCHS, N, CLASSES))
    recording = Recording(logits.astype(np.float16), given, np.arange(N), np.ones(EPOCHS))
    evidence = Evidence(np.arange(N), given, CLASSES, recording=recording)
    area = {name: _area(evidence, truth, name) for name in ("entropy_window", "loss_window")}
    assert area["entropy_window"] == pytest.approx(0.5, abs=0.1) and area["loss_window"] > 0.95


def _area(evidence, truth, name):
    return roc_auc_score(evidence.labels != truth, 1 - find_cleaner(name)(evidence).trust)


def test_the_separation_of_two_parts_by_hand():
    values, lower = np.array([0.0, 2.0, 10.0, 14.0]), np.array([1.0, 1.0, 0.0, 0.0])
    assert separation(values, lower) == pytest.approx(11 / np.sqrt((1 + 4) / 2))
    assert separation(values, np.full(4, 0.9)) == 0, "all in one part"


def test_values_that_part_nowhere_leave_every_row():
    values = np.random.default_rng(3).normal(size=(4, 500))
    epoch, lower = window(values)
    assert epoch == 0 and (lower > 0.5).all()

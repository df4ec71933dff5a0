from dataclasses import replace

import numpy as np
import pytest
from anchor_world import anchor_world

from anomaly_mlflow.cleaning import anchor_training
from anomaly_mlflow.cleaning.anchor_training import AnchorTraining, corrected_division, fit_anchors
from anomaly_mlflow.cleaning.anchors import AnchorSettings
from anomaly_mlflow.cleaning.easy_set import EasySet, late_loss
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.inference import accuracy


def bare(evidence):
    n = len(evidence.labels)
    images = np.zeros((n, 4, 4, 1), np.uint8)
    return Samples(images, evidence.labels, np.arange(n), tuple("abcd"))


def test_decided_rows_bear_the_voted_label_weighted_by_the_votes_and_undecided_ones_none():
    evidence, truth, hard = anchor_world()
    samples = bare(evidence)
    division = corrected_division(
        samples, late_loss(evidence), evidence.embeddings, evidence.head, AnchorSettings(), seed=0
    )
    given = division.targets.argmax(axis=1)
    assert (given == truth)[division.labelled].mean() > 0.95 > (samples.labels == truth).mean()
    assert 0.3 < division.labelled[hard].mean() < 1
    assert division.weight[division.labelled].min() >= 0.5 and division.labelled[~hard].mean() > 0.9


def test_a_class_without_an_easy_row_keeps_its_labels(monkeypatch):
    evidence, _, hard = anchor_world()
    samples, easy = bare(evidence), ~hard & (evidence.labels != 2)
    rows = EasySet(easy, np.where(easy, 0.9, 0.2), np.array([2]), ~easy & (evidence.labels != 2))
    monkeypatch.setattr(anchor_training, "easy_set", lambda *args, **more: rows)
    division = corrected_division(samples, None, evidence.embeddings, evidence.head, AnchorSettings(), seed=0)
    of_class = samples.labels == 2
    assert division.labelled[of_class].all() and (division.targets[of_class].argmax(axis=1) == 2).all()
    assert division.weight[of_class] == pytest.approx(0.2)


def test_the_phases_alternate(stripes, monkeypatch):
    calls, told = [], []

    def watch(name):
        function = getattr(anchor_training, name)
        monkeypatch.setattr(anchor_training, name, lambda *args, **more: calls.append(name) or function(*args, **more))

    for name in ("plain_epoch", "mixed_epoch", "corrected_division"):
        watch(name)
    config = TrainConfig("convnet", epochs=5, batch_size=30, learning_rate=0.05)
    fit_anchors(
        stripes,
        config,
        AnchorTraining(warm_up=0.4),
        seed=0,
        device="cpu",
        on_epoch=lambda epoch, model, loss: told.append(epoch),
    )
    phase = ["corrected_division", "mixed_epoch", "mixed_epoch"]
    assert calls == ["plain_epoch", "plain_epoch", *phase, *phase[:2]]
    assert told == [0, 1, 2, 3, 4]


def test_wrong_labels_of_a_fifth_of_the_rows_do_little_harm(stripes):
    wrong = np.random.default_rng(0).random(120) < 0.2
    noisy = replace(stripes, labels=np.where(wrong, (stripes.labels + 1) % 3, stripes.labels))
    config = TrainConfig("convnet", epochs=8, batch_size=16, learning_rate=0.05, augmentation="crop")
    model = fit_anchors(noisy, config, seed=0, device="cpu")
    assert accuracy(model, stripes) > 0.9

from dataclasses import replace

import numpy as np
import pytest
import torch

from anomaly_mlflow.cleaning import cheap_learners, learners
from anomaly_mlflow.cleaning.learners import LEARNERS, find_learner
from anomaly_mlflow.errors import TrainingDiverged, UnknownName
from anomaly_mlflow.training.checkpoints import load_model, save_model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.early_stopping import without_cycle
from anomaly_mlflow.training.inference import accuracy, infer

CONFIG = TrainConfig("convnet", epochs=6, batch_size=16, learning_rate=0.05, augmentation="crop")


def weights(model):
    return torch.cat([value.detach().flatten() for value in model.parameters()])


@pytest.fixture
def noisy(stripes):
    wrong = np.random.default_rng(0).random(120) < 0.2
    return replace(stripes, labels=np.where(wrong, (stripes.labels + 1) % 3, stripes.labels))


@pytest.mark.parametrize("name", LEARNERS)
def test_easy_classes_are_learnt_from_noisy_labels_and_the_model_can_be_saved(name, noisy, stripes, tmp_path):
    told = []
    model = LEARNERS[name](noisy, CONFIG, 0, "cpu", lambda epoch, model, loss: told.append((epoch, loss)))
    assert accuracy(model, stripes) > 0.85
    assert [epoch for epoch, _ in told] == list(range(len(told))) and 6 <= len(told) <= 12
    assert all(np.isfinite(loss) for _, loss in told) and not model.training
    save_model(model, tmp_path)
    again = infer(load_model(tmp_path), stripes.images)[1]
    np.testing.assert_allclose(again, infer(model, stripes.images)[1], atol=1e-4)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_seed_fixes_the_model(name, noisy):
    config = replace(CONFIG, epochs=2)
    states = []
    for seed in (5, 5, 6):
        torch.rand(seed)  # what was drawn before does not matter
        model = LEARNERS[name](noisy, config, seed=seed, device="cpu")
        states.append(weights(model))
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


@pytest.mark.parametrize("name", LEARNERS)
def test_a_training_that_diverges_ends_in_one_line(name, noisy):
    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        LEARNERS[name](noisy, replace(CONFIG, learning_rate=1e5), seed=0, device="cpu")


@pytest.mark.parametrize(("parted", "last"), [(True, 2), (False, 5)])
def test_stopping_at_the_window_goes_back_to_the_state_it_names(parted, last, noisy, monkeypatch):
    lower = np.where(np.arange(120) < 100, 0.9, 0.1 if parted else 0.6)
    monkeypatch.setattr(learners, "window", lambda losses, seed: (2, lower))
    seen = []
    model = LEARNERS["window_stopping"](noisy, CONFIG, 0, "cpu", lambda epoch, now, loss: seen.append(weights(now)))
    assert len(seen) == (6 + last + 1 if parted else 6) and torch.equal(weights(model), seen[last])


def test_the_cheap_controls_change_what_they_say_and_nothing_else(noisy, monkeypatch):
    asked = []
    monkeypatch.setattr(cheap_learners, "fit", lambda samples, config, **how: asked.append((config, how)) or [None])
    for name in ("plain", "label_smoothing", "constant_rate"):
        LEARNERS[name](noisy, CONFIG, seed=3, device="cpu")
    configs, how = zip(*asked, strict=True)
    assert how[0] == how[1] == how[2]
    assert configs[:2] == (CONFIG, replace(CONFIG, label_smoothing=0.1)) and configs[2] == without_cycle(CONFIG)
    assert configs[2].schedule == "constant" != CONFIG.schedule


def test_an_unknown_learner_is_named_beside_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown learner 'bagging'.*anchor_hallucination, .*plain"):
        find_learner("bagging")

from dataclasses import replace

import numpy as np
import pytest
import torch

from anomaly_mlflow.cleaning.learners import LEARNERS, find_learner
from anomaly_mlflow.errors import TrainingDiverged, UnknownName
from anomaly_mlflow.training.checkpoints import load_model, save_model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.inference import accuracy, infer

CONFIG = TrainConfig("convnet", epochs=6, batch_size=16, learning_rate=0.05, augmentation="crop")


@pytest.fixture
def noisy(stripes):
    wrong = np.random.default_rng(0).random(120) < 0.2
    return replace(stripes, labels=np.where(wrong, (stripes.labels + 1) % 3, stripes.labels))


@pytest.mark.parametrize("name", LEARNERS)
def test_easy_classes_are_learnt_from_noisy_labels_and_the_model_can_be_saved(name, noisy, stripes, tmp_path):
    told = []
    model = LEARNERS[name](noisy, CONFIG, 0, "cpu", lambda epoch, model, loss: told.append((epoch, loss)))
    assert accuracy(model, stripes) > 0.85
    assert [epoch for epoch, _ in told] == list(range(len(told))) and len(told) in (6, 12)
    assert all(np.isfinite(loss) for _, loss in told) and not model.training
    save_model(model, tmp_path)
    assert np.array_equal(infer(load_model(tmp_path), stripes.images)[1], infer(model, stripes.images)[1])


@pytest.mark.parametrize("name", LEARNERS)
def test_the_seed_fixes_the_model(name, noisy):
    config = replace(CONFIG, epochs=2)
    states = []
    for seed in (5, 5, 6):
        torch.rand(seed)  # what was drawn before does not matter
        model = LEARNERS[name](noisy, config, seed=seed, device="cpu")
        states.append(torch.cat([value.detach().flatten() for value in model.parameters()]))
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


@pytest.mark.parametrize("name", LEARNERS)
def test_a_training_that_diverges_ends_in_one_line(name, noisy):
    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        LEARNERS[name](noisy, replace(CONFIG, learning_rate=1e5), seed=0, device="cpu")


def test_an_unknown_learner_is_named_beside_the_known_ones():
    with pytest.raises(UnknownName, match=r"unknown learner 'bagging'.*anchor_hallucination, .*plain"):
        find_learner("bagging")

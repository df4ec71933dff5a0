from dataclasses import replace

import numpy as np
import pytest
import torch

from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.training import dividemix
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.dividemix import believed, fit_dividemix
from anomaly_mlflow.training.inference import infer

FAST = TrainConfig("convnet", epochs=3, batch_size=16, learning_rate=0.05)


def small(losses):
    """Rows of a loss below the median are believed."""
    return np.where(losses <= np.median(losses), 0.9, 0.1)


def test_rows_of_more_than_the_threshold_are_labelled_and_weighted_by_it(stripes):
    posterior = np.linspace(0, 1, 120)
    division = believed(posterior, stripes, 0.5)
    assert np.array_equal(division.labelled, posterior > 0.5)
    np.testing.assert_allclose(division.weight, posterior, atol=1e-6)
    assert np.array_equal(division.targets.argmax(axis=1), stripes.labels)


def test_where_hardly_a_row_is_believed_all_are_labelled(stripes):
    posterior = np.zeros(120)
    posterior[7] = 1
    assert believed(posterior, stripes, 0.5).labelled.all()


def test_each_network_learns_from_the_others_division_and_guesses_with_it(stripes, monkeypatch):
    judged = iter(np.random.default_rng(0).random((4, 120)))
    answers, passes = [], []

    def posterior(losses):
        answers.append(next(judged))
        return answers[-1]

    def epoch(net, feed, division, settings, epoch, *, start, other):
        passes.append((net, division, start, other))
        return 0.0

    monkeypatch.setattr(dividemix, "mixed_epoch", epoch)
    fit_dividemix(stripes, FAST, posterior, seed=0, device="cpu")
    assert len(answers) == 4 and len(passes) == 4  # one epoch of three is the warm-up
    for first, second, (judged_0, judged_1) in ((0, 1, answers[:2]), (2, 3, answers[2:])):
        assert passes[first][0] is passes[second][3] and passes[second][0] is passes[first][3]
        assert passes[first][0] is not passes[second][0]
        np.testing.assert_allclose(passes[first][1].weight, judged_1, atol=1e-6)
        np.testing.assert_allclose(passes[second][1].weight, judged_0, atol=1e-6)
        assert passes[first][2] == 1


def test_the_two_networks_differ_and_answer_with_their_mean(stripes):
    model = fit_dividemix(stripes, FAST, small, seed=0, device="cpu")
    embedding, logits = infer(model, stripes.images)
    weight = model.head.weight.detach().numpy()
    halves = [embedding[:, part] @ weight[:, part].T for part in (slice(0, 128), slice(128, 256))]
    assert not np.allclose(*halves)
    np.testing.assert_allclose(sum(halves) + model.head.bias.detach().numpy(), logits, atol=1e-4)


def test_the_seed_fixes_both_networks(stripes):
    config = replace(FAST, epochs=2)
    first, again, other = (fit_dividemix(stripes, config, small, seed=seed, device="cpu") for seed in (3, 3, 4))
    states = [torch.cat([value.flatten() for value in one.parameters()]) for one in (first, again, other)]
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_a_model_that_cannot_be_a_pair_is_told_before_it_is_trained(stripes):
    config = replace(FAST, model="timm:resnet10t")
    with pytest.raises(UnknownName, match="pair:timm:resnet10t"):
        fit_dividemix(stripes, config, small, seed=0, device="cpu", on_epoch=lambda *told: pytest.fail("trained"))

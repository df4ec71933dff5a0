from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from anomaly_mlflow.errors import BadData, TrainingDiverged
from anomaly_mlflow.training.batch_targets import batch_targets, batches_of, guess
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.inference import accuracy
from anomaly_mlflow.training.semi_supervised import division_of, fit_semi_supervised

FAST = TrainConfig("convnet", epochs=8, batch_size=16, learning_rate=0.05, augmentation="crop")


def some_labelled(stripes, of_each=8):
    """The first rows of each class are labelled; the labels of all others are another class's."""
    labelled = np.zeros(len(stripes), bool)
    for label in range(3):
        labelled[np.flatnonzero(stripes.labels == label)[:of_each]] = True
    given = np.where(labelled, stripes.labels, (stripes.labels + 1) % 3)
    return division_of(labelled, given, np.ones(len(stripes)), 3), replace(stripes, labels=given)


def answering(*probabilities):
    """A network whose logits are its images, so that its predictions are what the images hold."""
    model = torch.nn.Flatten()
    return SimpleNamespace(model=model), torch.log(torch.tensor(probabilities))[:, :, None, None]


def test_a_few_labels_are_enough_and_those_of_unlabelled_rows_are_not_read(stripes):
    division, samples = some_labelled(stripes)
    model = fit_semi_supervised(samples, division, FAST, seed=0, device="cpu")
    assert accuracy(model, stripes) > 0.9


def test_the_seed_fixes_the_network_and_every_epoch_is_told(stripes):
    division, samples = some_labelled(stripes)
    told, weights = [], []
    for seed in (1, 1, 2):
        model = fit_semi_supervised(
            samples,
            division,
            replace(FAST, epochs=2),
            seed=seed,
            device="cpu",
            on_epoch=lambda epoch, model, loss: told.append((epoch, np.isfinite(loss))),
        )
        weights.append(torch.cat([value.flatten() for value in model.parameters()]))
    assert told == [(0, True), (1, True)] * 3
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_a_rate_that_diverges_ends_in_one_line(stripes):
    division, samples = some_labelled(stripes)
    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        fit_semi_supervised(samples, division, replace(FAST, learning_rate=1e4), seed=0, device="cpu")


def test_rows_of_which_none_is_labelled_are_refused():
    with pytest.raises(BadData, match="0 of 3 rows are labelled"):
        division_of(np.zeros(3, bool), np.zeros(3, np.int64), np.ones(3), 2)


def test_where_half_the_rows_are_labelled_an_epoch_is_every_row_once():
    labelled = np.arange(100) % 10 < 6
    batches = list(batches_of(labelled, 20, np.random.default_rng(0)))
    assert len(batches) == 5
    assert sorted(np.concatenate([rows for rows, _ in batches])) == list(range(100))
    for rows, known in batches:
        assert labelled[rows[:known]].all() and not labelled[rows[known:]].any()
        assert len(rows) == 20 and known == 12


@pytest.mark.parametrize("share", [0.01, 0.07, 0.3])
def test_where_fewer_are_labelled_both_kinds_are_equally_many_and_labelled_rows_are_repeated_evenly(share):
    labelled = np.random.default_rng(1).permutation(200) < 200 * share
    batches = list(batches_of(labelled, 25, np.random.default_rng(0)))
    passed = np.bincount(np.concatenate([rows for rows, _ in batches]), minlength=200)
    assert passed[labelled].sum() == passed[~labelled].sum() == 100
    assert np.ptp(passed[labelled]) <= 1 and passed[~labelled].max() == 1
    assert all(0 < known < len(rows) for rows, known in batches)


def test_where_all_are_labelled_there_is_no_guessing():
    assert [known for _, known in batches_of(np.ones(30, bool), 10, np.random.default_rng(0))] == [10, 10, 10]


def test_a_guess_is_the_mean_over_two_views():
    net, images = answering([0.9, 0.1], [0.5, 0.5], [0.7, 0.3], [0.1, 0.9])
    np.testing.assert_allclose(guess(net, images), [[0.8, 0.2], [0.3, 0.7]], atol=1e-6)


def test_labelled_rows_are_refined_by_their_own_network_and_the_others_guessed_by_both():
    net, images = answering([0.6, 0.4], [0.9, 0.1], [0.8, 0.2], [0.7, 0.3])  # views one of two rows, then views two
    flipped = SimpleNamespace(model=torch.nn.Sequential(torch.nn.Flatten(), Flip()))
    targets, weight = torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([0.5, 0.5])
    alone = batch_targets(net, None, images, 1, targets, weight, 0.5)
    # row 0: .5 (0, 1) + .5 (.7, .3) = (.35, .65), squared .1225 and .4225; row 1: (.8, .2), squared .64 and .04
    np.testing.assert_allclose(alone, [[0.1225 / 0.545, 0.4225 / 0.545], [0.64 / 0.68, 0.04 / 0.68]], atol=1e-6)
    together = batch_targets(net, flipped, images, 1, targets, weight, 0.5)
    np.testing.assert_allclose(together, [[0.1225 / 0.545, 0.4225 / 0.545], [0.5, 0.5]], atol=1e-6)


class Flip(torch.nn.Module):
    def forward(self, logits):
        return logits.flip(1)

from dataclasses import replace

import numpy as np
import pytest
import torch

from anomaly_mlflow.training import early_stopping
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.early_stopping import fit_early_stopped
from anomaly_mlflow.training.embedding_noise import fit_with_embedding_noise, noisy
from anomaly_mlflow.training.inference import accuracy, infer
from anomaly_mlflow.training.loop import fit

FAST = TrainConfig("convnet", epochs=6, batch_size=16, learning_rate=0.05, dropout=0.0)


def weights(model):
    return torch.cat([value.detach().flatten() for value in model.parameters()])


def test_noise_is_as_long_as_the_embedding_times_its_share():
    torch.manual_seed(0)
    embeddings = torch.randn(2000, 64) * torch.linspace(0.1, 10, 2000)[:, None]
    length = (noisy(embeddings, 0.5) - embeddings).norm(dim=1) / embeddings.norm(dim=1)
    assert float(length.square().mean().sqrt()) == pytest.approx(0.5, abs=0.01)
    assert float(length[:200].mean()) == pytest.approx(float(length[-200:].mean()), abs=0.02)


def test_noise_changes_the_training_and_is_gone_afterwards(stripes):
    plain, _ = fit(stripes, FAST, seed=0)
    none, some = (fit_with_embedding_noise(stripes, FAST, noise, seed=0) for noise in (0.0, 0.5))
    assert accuracy(some, stripes) > 0.9
    assert torch.equal(weights(plain), weights(none)) and not torch.equal(weights(plain), weights(some))
    assert not some.dropout._forward_pre_hooks
    some.train()
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(some.head(some.embed(images)), some(images))


def test_a_named_epoch_is_the_last_one(stripes):
    told = []
    model = fit_early_stopped(stripes, FAST, seed=0, epoch=1, on_epoch=lambda epoch, *_: told.append(epoch))
    constant = replace(FAST, epochs=2, schedule="constant", learning_rate=0.005)
    assert told == [0, 1]
    assert torch.equal(weights(model), weights(fit(stripes, constant, seed=0)[0]))


def test_without_one_the_epoch_is_taken_that_agrees_best_with_held_out_given_labels(stripes, monkeypatch):
    agreements, seen, held_out = iter([0.2, 0.9, 0.5, 0.9, 0.1, 0.3]), [], []

    def answers(model, images, rows):
        held_out.append(rows)
        share = next(agreements)
        wrong = np.arange(rows.sum()) >= share * rows.sum()
        return None, np.eye(3)[(stripes.labels[rows] + wrong) % 3]

    monkeypatch.setattr(early_stopping, "infer", answers)
    model = fit_early_stopped(stripes, FAST, seed=0, on_epoch=lambda epoch, now, loss: seen.append(weights(now)))
    assert len(seen) == 6 and torch.equal(weights(model), seen[1])  # the first of the best
    assert all(np.array_equal(rows, held_out[0]) and rows.sum() == 12 for rows in held_out)


def test_held_out_rows_are_not_trained_on(stripes, monkeypatch):
    trained = []
    whole = early_stopping.fit

    def watched(samples, config, *, rows, **more):
        trained.append(rows)
        return whole(samples, config, rows=rows, **more)

    monkeypatch.setattr(early_stopping, "fit", watched)
    monkeypatch.setattr(early_stopping, "infer", lambda *args, rows: trained.append(rows) or infer(*args, rows=rows))
    fit_early_stopped(stripes, replace(FAST, epochs=1), seed=0)
    rows, held_out = trained
    assert not held_out[rows].any() and len(rows) + held_out.sum() == 120

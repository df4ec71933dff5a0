from dataclasses import replace

import numpy as np
import pytest
import torch

from anomaly_mlflow.errors import BadData, BadOption, TrainingDiverged
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.guards import check_loss, check_weights
from anomaly_mlflow.training.loop import fit

FAST = TrainConfig("convnet", epochs=1, batch_size=32)


def test_a_batch_larger_than_the_set_is_refused(stripes):
    with pytest.raises(BadOption, match="batch_size=121 is more than the 120 images there are"):
        fit(stripes, replace(FAST, batch_size=121), seed=0)


def test_a_batch_as_large_as_the_set_trains(stripes):
    assert fit(stripes, replace(FAST, batch_size=120), seed=0, record=True)[1].logits.shape == (1, 120, 3)


def test_a_part_smaller_than_a_batch_is_one_batch(stripes):
    rows, seen = np.arange(0, 120, 6), []
    fit(stripes, FAST, seed=0, rows=rows, on_epoch=lambda epoch, model, loss: seen.append(loss))
    assert len(seen) == 1 and np.isfinite(seen[0])


def test_the_models_own_batch_shrinks_to_a_small_set_and_a_typed_one_does_not():
    own = configure("convnet", (8, 8, 1)).batch_size
    assert configure("convnet", (8, 8, 1), images=own - 1).batch_size == own - 1
    assert configure("convnet", (8, 8, 1), images=own + 1).batch_size == own
    assert configure("convnet", (8, 8, 1), images=20, batch_size=99).batch_size == 99


def test_a_class_without_a_row_is_named(stripes):
    rows = np.flatnonzero(stripes.labels != 1)
    with pytest.raises(BadData, match=f"no image of class {stripes.classes[1]} is left to train on"):
        fit(stripes, FAST, seed=0, rows=rows)


def test_a_trained_model_goes_on_with_a_part_that_lacks_a_class(stripes):
    model, _ = fit(stripes, FAST, seed=0)
    fit(stripes, FAST, seed=0, start=model, rows=np.flatnonzero(stripes.labels != 1))


def test_a_single_image_is_not_trained_on(stripes):
    model, _ = fit(stripes, FAST, seed=0)
    with pytest.raises(BadData, match=r"1 of the images .* two are the least"):
        fit(stripes, FAST, seed=0, start=model, rows=np.array([3]))


@pytest.mark.parametrize("n", [3, 5, 7])
def test_batches_of_two_never_leave_one_row_to_batch_normalisation(stripes, n):
    rows = np.flatnonzero(stripes.labels == 0)[:1].tolist() + np.flatnonzero(stripes.labels != 0)[: n - 1].tolist()
    model, _ = fit(stripes, FAST, seed=0)
    trained, _ = fit(stripes, replace(FAST, batch_size=2), seed=0, start=model, rows=np.sort(rows))
    assert all(torch.isfinite(value).all() for value in trained.state_dict().values())


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 11 * np.log(3)])
def test_a_loss_that_is_no_number_or_far_worse_than_guessing_stops(loss):
    with pytest.raises(TrainingDiverged, match=r"the loss is .* in epoch 4; lower learning_rate \(0.1\)"):
        check_loss(loss, 4, 3, FAST)


def test_a_loss_somewhat_worse_than_guessing_does_not_stop():
    check_loss(9 * np.log(3), 4, 3, FAST)


def test_a_rate_that_diverges_stops_and_what_diverged_is_not_recorded(stripes):
    seen = []
    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        config = replace(FAST, epochs=8, learning_rate=1e4)
        fit(stripes, config, seed=0, record=True, sink=lambda epoch, part: seen.append(part.logits))
    assert all(np.isfinite(logits).all() for logits in seen) and len(seen) < 8


def test_a_weight_that_is_no_number_stops():
    model = torch.nn.Linear(2, 2)
    check_weights(model, FAST)
    model.weight.data[0, 0] = float("nan")
    with pytest.raises(TrainingDiverged, match="the weights are no numbers"):
        check_weights(model, FAST)

"""The spread of input gradients over snapshots, on networks whose gradients are known."""

import numpy as np
import pytest
import torch
from torch import nn

from anomaly_mlflow.models import MODELS, Architecture, build
from anomaly_mlflow.models.registry import Recipe
from anomaly_mlflow.training.gradients import gradient_spread

IMAGES = np.array([[[0], [51]], [[255], [102]], [[153], [0]]], np.uint8)[:, None]  # (3, 1, 2, 1): 0 .2, 1 .4, .6 0


class Power(nn.Module):
    """z = pixel ** power."""

    width = 2

    def __init__(self, power):
        super().__init__()
        self.power = power

    def forward(self, images):
        return images.flatten(1) ** self.power


@pytest.fixture
def snapshots(monkeypatch):
    def make(*weights, power=1, mean=0.0, deviation=1.0):
        monkeypatch.setitem(MODELS, "power", Recipe(lambda image_shape: Power(power)))
        models = [build(Architecture("power", (1, 2, 1), 2, dropout=0.5)).eval() for _ in weights]
        for model, weight in zip(models, weights, strict=True):
            model.head.weight.data = torch.tensor(weight)
            model.mean.fill_(mean)
            model.deviation.fill_(deviation)
        return models

    return make


def test_of_a_linear_network_is_that_of_the_weights_of_the_label(snapshots):
    # class 0: pixels 1 3 and 2 2, deviations 1 and 0; class 1: 0 6 and 0 8, deviations 3 and 4
    models = snapshots([[1.0, 2.0], [0.0, 0.0]], [[3.0, 2.0], [6.0, 8.0]])
    np.testing.assert_allclose(gradient_spread(models, IMAGES, np.array([0, 1, 0])), [0.5, 3.5, 0.5], rtol=1e-6)


def test_counts_pixels_in_0_to_1_before_the_models_own_normalisation(snapshots):
    models = snapshots([[1.0, 2.0], [0.0, 0.0]], [[3.0, 2.0], [6.0, 8.0]], mean=0.5, deviation=0.1)
    np.testing.assert_allclose(gradient_spread(models, IMAGES, np.array([0, 1, 0])), [5, 35, 5], rtol=1e-5)


def test_of_a_square_network_is_twice_the_pixel_times_that_of_the_weights(snapshots):
    # weights 1 2 6 of both pixels: population deviation of three snapshots (14 / 3) ** .5; pixels 0 .2, 1 .4, .6 0
    models = snapshots(*[[[w, w], [0.0, 0.0]] for w in (1.0, 2.0, 6.0)], power=2)
    expected = (14 / 3) ** 0.5 * np.array([0.2, 1.4, 0.6])
    np.testing.assert_allclose(gradient_spread(models, IMAGES, np.zeros(3, int)), expected, rtol=1e-5)


def test_does_not_depend_on_the_batches_and_is_0_for_one_snapshot(snapshots):
    models = snapshots(*[[[w, 1.0], [0.0, w]] for w in (1.0, 2.0, 6.0)], power=3)
    labels = np.array([0, 1, 1])
    whole = gradient_spread(models, IMAGES, labels)
    np.testing.assert_allclose(gradient_spread(models, IMAGES, labels, batch_size=2), whole, rtol=1e-6)
    np.testing.assert_array_equal(gradient_spread(models[:1], IMAGES, labels), np.zeros(3))


def test_takes_labels_that_are_read_only(snapshots):
    labels = np.array([0, 1, 0])
    labels.flags.writeable = False
    assert gradient_spread(snapshots([[1.0, 2.0], [0.0, 0.0]]), IMAGES, labels).tolist() == [0, 0, 0]

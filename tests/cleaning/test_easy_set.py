import numpy as np
import pytest

from anomaly_mlflow.cleaning import easy_set as easy_set_module
from anomaly_mlflow.cleaning.easy_set import easy_set


@pytest.fixture
def posterior_of_loss(monkeypatch):
    """The probability of being easy is exp(-loss), so that the sets can be named by hand."""
    monkeypatch.setattr(easy_set_module, "small_loss_posterior", lambda losses, labels, seed: np.exp(-losses))


def test_a_class_is_cut_to_the_smallest_losses_of_a_mean_class(posterior_of_loss):
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    losses = np.array([0.4, 0.1, 0.3, 0.2, 2.0, 0.5, 0.6, 3.0])
    found = easy_set(losses, labels, 2, seed=0)  # four and two are easy: three on average
    assert found.easy.tolist() == [False, True, True, True, False, True, True, False]
    assert found.hard.tolist() == [True, False, False, False, True, False, False, True]
    assert found.posterior == pytest.approx(np.exp(-losses)) and not len(found.missing)
    assert easy_set(losses, labels, 2, seed=0, balanced=False).easy.sum() == 6


def test_rows_of_a_class_without_an_easy_one_are_left_alone(posterior_of_loss):
    labels = np.array([0, 0, 1, 1, 3, 3])
    found = easy_set(np.array([0.1, 2.0, 0.1, 2.0, 2.0, 3.0]), labels, 5, seed=0)
    assert found.missing.tolist() == [3]
    assert found.easy.tolist() == [True, False, True, False, False, False]
    assert found.hard.tolist() == [False, True, False, True, False, False]


def test_where_nothing_is_easy_nothing_is_hard(posterior_of_loss):
    found = easy_set(np.full(4, 5.0), np.array([0, 0, 1, 1]), 2, seed=0)
    assert not found.easy.any() and not found.hard.any() and found.missing.tolist() == [0, 1]


def test_two_heaps_of_losses_are_told_apart_in_each_class():
    rng = np.random.default_rng(0)
    labels, wrong = np.repeat([0, 1], 200), rng.random(400) < 0.3
    losses = np.where(wrong, 4.0, 0.3) * np.where(labels == 0, 1.0, 0.2) + 0.02 * rng.random(400)
    found = easy_set(losses, labels, 2, seed=0, balanced=False)
    assert np.array_equal(found.hard, wrong)

"""The noise estimated from near rows' agreement: exact shares, simulated sets, and what it cannot take."""

import numpy as np
import pytest

from anomaly_mlflow.cleaning.noise_transition import (
    consensus,
    noise_transition,
    probability_right,
    solve_consensus,
)
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.neighbours import nearest

PRIOR = np.array([0.4, 0.3, 0.2, 0.1])
NOISES = {
    "symmetric": 0.7 * np.eye(4) + 0.1 * (1 - np.eye(4)),
    "asymmetric": np.array([[0.6, 0.4, 0, 0], [0, 1, 0, 0], [0, 0.3, 0.7, 0], [0.1, 0, 0.1, 0.8]]),
    "none": np.eye(4),
}
every_noise = pytest.mark.parametrize("noise", NOISES.values(), ids=list(NOISES))


def shares(transition, prior):
    """The shares of labels, pairs and triples, by their definition."""
    return [
        np.einsum("i,ij->j", prior, transition),
        np.einsum("i,ij,ik->jk", prior, transition, transition),
        np.einsum("i,ij,ik,il->jkl", prior, transition, transition, transition),
    ]


def given(truth, transition, rng):
    """A label for each row, drawn from the row of its true class."""
    return (rng.random(len(truth))[:, None] > transition[truth].cumsum(axis=1)).sum(axis=1).clip(max=3)


@every_noise
def test_exact_shares_give_back_the_noise_and_the_prior(noise):
    transition, prior = solve_consensus(shares(noise, PRIOR))
    np.testing.assert_allclose(transition, noise, atol=0.005)
    np.testing.assert_allclose(prior, PRIOR, atol=0.005)
    np.testing.assert_allclose(transition.sum(axis=1), 1)


@every_noise
def test_a_simulated_world_gives_back_the_noise(noise):
    rng = np.random.default_rng(0)
    truth = np.sort(rng.choice(4, 20_000, p=PRIOR))
    labels = given(truth, noise, rng)
    edges = np.searchsorted(truth, np.arange(5))
    near = rng.integers(edges[truth], edges[truth + 1], (2, 20_000)).T  # of the same class, at random
    transition, prior = noise_transition(labels, near, 4)
    np.testing.assert_allclose(transition, noise, atol=0.03)
    np.testing.assert_allclose(prior, PRIOR, atol=0.03)


def test_embeddings_of_separate_classes_give_back_the_share_of_right_labels():
    rng = np.random.default_rng(0)
    truth = rng.choice(4, 4000, p=PRIOR)
    labels = given(truth, NOISES["asymmetric"], rng)
    near = nearest(5 * np.eye(4)[truth] + rng.normal(size=(4000, 4)), 2)
    found = probability_right(*noise_transition(labels, near.index, 4), labels)
    right = [np.mean(truth[labels == label] == label) for label in range(4)]
    np.testing.assert_allclose(found, right, atol=0.06)


def test_the_shares_by_hand():
    first, second, third = consensus(np.array([0, 1, 1]), np.array([[1, 2], [2, 0], [1, 0]]), 2)
    np.testing.assert_allclose(first, [1 / 3, 2 / 3])
    np.testing.assert_allclose(second, [[0, 1 / 3], [0, 2 / 3]])
    assert third[0, 1, 1] == pytest.approx(1 / 3) and third[1, 1, 0] == pytest.approx(2 / 3)
    assert third.sum() == pytest.approx(1)


def test_the_probability_of_a_right_label_is_by_bayes_rule():
    labels = np.repeat([0, 1], [45, 55])
    found = probability_right(np.array([[0.8, 0.2, 0], [0.1, 0.9, 0], [0, 0, 1]]), np.array([0.5, 0.5, 0]), labels)
    np.testing.assert_allclose(found, [0.4 / 0.45, 0.45 / 0.55, 1])


@pytest.mark.parametrize(("classes", "neighbours"), [(101, 2), (4, 1)])
def test_too_many_classes_or_too_few_rows_are_told_in_one_line(classes, neighbours):
    with pytest.raises(BadData, match=r"^the noise is estimated from [^\n]*$"):
        noise_transition(np.zeros(9, int), np.zeros((9, neighbours), int), classes)

"""Vote, rank, prototypes and likelihood ratio: by hand, and against what the authors' codes compute."""

import numpy as np
import pytest

from anomaly_mlflow.cleaning import find_cleaner
from anomaly_mlflow.cleaning.class_prototypes import prototype_trust
from anomaly_mlflow.cleaning.likelihood_ratio import critical_value
from anomaly_mlflow.cleaning.noise_transition import noise_transition
from anomaly_mlflow.signals import Evidence
from anomaly_mlflow.signals import find as find_signal
from anomaly_mlflow.signals.neighbour_labels import soft_vote
from anomaly_mlflow.training.recording import Recording


def clusters(seed=0, rows=1500, classes=3, wrong=0.3, spread=0.3):
    """Embeddings of well-separated classes, and labels of which a share is wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    moved = (truth + rng.integers(1, classes, rows)) % classes
    labels = np.where(rng.random(rows) < wrong, moved, truth)
    embeddings = 3 * np.eye(6)[truth] + spread * rng.normal(size=(rows, 6))
    return Evidence(np.arange(rows), labels, classes, embeddings=embeddings.astype(np.float32)), truth


def test_the_vote_by_hand():
    # three rows in one place: each has its own vote and two more, all of weight 1; the fourth stands opposite
    embeddings = np.array([[1, 0], [1, 0], [1, 0], [-1, 0]], np.float32)
    found = find_cleaner("neighbour_vote")(Evidence(np.arange(4), np.array([0, 0, 1, 1]), 2, embeddings=embeddings))
    np.testing.assert_allclose(found.trust[:3], [2 / 3, 2 / 3, 1 / 3], atol=1e-6)
    np.testing.assert_array_equal(found.kept, [True, True, False, True])
    np.testing.assert_array_equal(found.labels, [0, 0, 0, 1])
    np.testing.assert_allclose(found.confidence[:3], [1 / 2, 1 / 2, 1], atol=1e-6)  # of the others' votes


def test_a_tie_keeps_the_label():
    embeddings = np.array([[1, 0], [1, 0]], np.float32)
    found = find_cleaner("neighbour_vote")(Evidence(np.arange(2), np.array([0, 1]), 2, embeddings=embeddings))
    np.testing.assert_array_equal(found.labels, [0, 1])
    np.testing.assert_allclose(found.trust, 0.5)
    assert found.kept.all()


def test_the_vote_flags_where_the_signal_is_above_zero():
    evidence, truth = clusters(spread=0.8)
    found = find_cleaner("neighbour_vote")(evidence)
    np.testing.assert_array_equal(found.kept, find_signal("neighbour_vote")(evidence) <= 0)
    vote = soft_vote(evidence)
    np.testing.assert_array_equal(found.labels[~found.kept], vote.argmax(axis=1)[~found.kept])
    assert np.mean(found.labels == truth) > 0.9 > 0.75 > np.mean(evidence.labels == truth)


def test_the_rank_leaves_the_share_that_simifeats_code_leaves():
    evidence, truth = clusters(spread=0.8, rows=3000)
    found = find_cleaner("neighbour_rank")(evidence)
    transition, prior = noise_transition(evidence.labels, evidence.neighbours.index, 3)
    score = find_signal("neighbour_rank")(evidence)
    for label in range(3):
        members = evidence.labels == label
        wrong = 1 - transition[label, label] * prior[label] / members.mean()
        assert wrong == pytest.approx(np.mean(truth[members] != label), abs=0.1)
        threshold = np.percentile(score[members], 100 * (1 - wrong))
        np.testing.assert_array_equal(~found.kept[members], score[members] >= threshold)
    np.testing.assert_allclose(-np.log(found.trust + 1e-8), score, atol=1e-6)


def test_where_all_labels_are_right_the_rank_leaves_none_that_all_its_neighbours_bear():
    evidence, _ = clusters(wrong=0.0)
    found = find_cleaner("neighbour_rank")(evidence)
    assert found.kept.all()
    np.testing.assert_array_equal(found.labels, evidence.labels)


def fan(wrong=40):
    """Class 0 along the first axis, class 1 along the second, some of each labelled as the other; none of class 2."""
    angle = np.random.default_rng(0).normal(scale=0.2, size=400)
    truth = np.repeat([0, 1], 200)
    unit = np.stack([np.cos(angle + truth * np.pi / 2), np.sin(angle + truth * np.pi / 2)], axis=1)
    flip = np.arange(400) % (400 // (2 * wrong)) == 0
    return unit, np.where(flip, 1 - truth, truth), flip


def test_prototypes_judge_by_cosine_with_a_threshold_for_each_class():
    unit, labels, flip = fan()
    weight = np.where(flip, 0.1, 0.9)
    trust, cosine = prototype_trust(unit, labels, weight, 3)
    assert np.isneginf(cosine[:, 2]).all()
    np.testing.assert_array_equal(trust > 0.5, ~flip)
    for label in range(2):
        own = labels == label
        assert (np.diff(trust[own][np.argsort(cosine[own, label])]) >= 0).all()
    # prototypes weighted by trust point along the axes, plain means would lean to the flipped rows
    np.testing.assert_allclose(cosine[:, 0], unit[:, 0], atol=0.1)
    plain = np.stack([unit[labels == label].mean(axis=0) for label in range(2)])
    assert abs(plain[0] / np.linalg.norm(plain[0]) @ [0, 1]) > 0.15


@pytest.mark.parametrize("weight", [np.ones(400), np.full(400, 0.4)], ids=["all trusted", "all alike"])
def test_prototypes_learn_nothing_where_the_losses_say_nothing(weight):
    unit, labels, _ = fan()
    np.testing.assert_array_equal(prototype_trust(unit, labels, weight, 2)[0], weight)


def late(probabilities, labels):
    logits = np.log(np.stack([np.ones_like(probabilities), probabilities]))
    return Recording(logits.astype(np.float16), labels, np.arange(len(labels)), np.ones(2))


def test_the_likelihood_ratio_by_hand():
    p, labels = np.array([[0.1, 0.6, 0.3], [0.1, 0.6, 0.3], [0.3, 0.4, 0.3]]), np.array([0, 1, 0])
    found = find_cleaner("likelihood_ratio")(Evidence(np.arange(3), labels, 3, recording=late(p, labels)))
    np.testing.assert_array_equal(found.labels, [1, 1, 0])  # ratios 1/6, 1 and 3/4; the first is below .3
    np.testing.assert_array_equal(found.kept, [False, True, True])
    np.testing.assert_allclose(found.trust, [1 / 7, 2 / 3, 3 / 7], atol=1e-3)
    np.testing.assert_allclose(found.confidence, [6 / 7, 2 / 3, 3 / 7], atol=1e-3)


@pytest.mark.parametrize(
    ("low", "expected"), [([0.25], 0.3), ([0.3], 0.4), ([0.55], 0.6), ([0.85], 0.9), ([0.95], 0.9), ([], 0.9)], ids=str
)
def test_the_critical_value_rises_until_one_row_in_a_thousand_is_corrected(low, expected):
    ratio = np.ones(1000)
    ratio[: len(low)] = low
    assert critical_value(ratio) == pytest.approx(expected)

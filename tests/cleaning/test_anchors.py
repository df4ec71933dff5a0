from dataclasses import replace

import numpy as np
import pytest
from anchor_world import anchor_world

from anomaly_mlflow.cleaning.anchors import (
    AnchorSettings,
    count_votes,
    draw_pairs,
    linear_anchors,
    vote_by_anchors,
)
from anomaly_mlflow.cleaning.easy_set import EasySet

ALL = AnchorSettings(quantile=0.0)


def at(*degrees):
    return np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], axis=1)


def chosen(easy, hard):
    easy, hard = np.array(easy, bool), np.array(hard, bool)
    return EasySet(easy, easy.astype(float), np.array([], np.int64), hard)


def test_pairs_are_of_two_classes_and_every_row_begins_as_many():
    labels = np.array([0, 0, 1, 2, 2, 2])
    first, second = draw_pairs(labels, 500, np.random.default_rng(0))
    assert np.bincount(first).tolist() == [500] * 6
    assert (labels[first] != labels[second]).all()
    assert np.bincount(second[first == 0], minlength=6)[[2, 3, 4, 5]] == pytest.approx(125, abs=40)


def test_a_linear_anchor_by_hand():
    anchor = linear_anchors(np.eye(2), np.array([0]), np.array([1]), 0.65)
    np.testing.assert_allclose(anchor, np.array([[0.65, 0.35]]) / np.hypot(0.65, 0.35))


def test_an_anchor_of_lambda_one_is_the_easy_row_itself():
    unit = at(10, 40, 80)
    np.testing.assert_allclose(linear_anchors(unit, np.array([2, 0]), np.array([0, 1]), 1.0), unit[[2, 0]])


def test_votes_by_hand():
    of_row = np.array([0, 0, 0, 0, 2, 2, 2, 2])
    cosine = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.9, 0.6, 0.7])
    votes = np.array([1, 1, 0, 0, 2, 0, 2, 0])
    settings = AnchorSettings(neighbours=3, least_valid=3)
    shares, winner, valid = count_votes(of_row, cosine, votes, 3, 3, settings)
    # row 0 hears 1, 1, 0; row 1 nobody; row 2 hears 0 (.9), 0 (.7), 2 (.6)
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3, 0], [0, 0, 0], [2 / 3, 0, 1 / 3]])
    assert winner[[0, 2]].tolist() == [1, 0] and valid.tolist() == [3, 0, 3]


def test_of_equally_many_votes_the_nearer_ones_win():
    settings = AnchorSettings(neighbours=4, least_valid=4)
    for votes, expected in (([0, 0, 1, 1], 0), ([1, 0, 0, 1], 1)):
        shares, winner, _ = count_votes(
            np.zeros(4, int), np.array([0.9, 0.5, 0.4, 0.3]), np.array(votes), 1, 2, settings
        )
        assert shares.tolist() == [[0.5, 0.5]] and winner.tolist() == [expected]


def test_too_few_votes_are_none():
    shares, _, valid = count_votes(np.zeros(2, int), np.ones(2), np.zeros(2, int), 1, 2, AnchorSettings())
    assert not shares.any() and valid.tolist() == [2]


def test_hard_rows_get_the_class_of_the_anchors_beside_them():
    # The anchors of the class at 0 degrees lie at 28.3, those of the class at 90 at 61.7: one hard row beside each.
    embeddings, labels = at(0, 90, 30, 60), np.array([0, 1, 1, 1])
    votes = vote_by_anchors(embeddings, labels, 2, chosen([1, 1, 0, 0], [0, 0, 1, 1]), ALL, seed=0)
    assert votes.labels.tolist() == [0, 1, 0, 1]
    assert votes.valid.tolist() == [0, 0, 8, 8] and votes.decided.tolist() == [False, False, True, True]
    np.testing.assert_allclose(votes.shares[2:], np.eye(2))


def test_anchors_too_far_from_every_hard_row_have_no_vote():
    embeddings, labels = at(0, 90, 29, 75), np.array([0, 1, 1, 0])
    settings = replace(ALL, quantile=0.5)  # .7 degrees from one hard row, 13.3 from the other: half of the anchors each
    votes = vote_by_anchors(embeddings, labels, 2, chosen([1, 1, 0, 0], [0, 0, 1, 1]), settings, seed=0)
    assert votes.labels.tolist() == [0, 1, 0, 0] and votes.decided.tolist() == [False, False, True, False]


def test_a_row_is_undecided_where_too_small_a_share_agrees():
    embeddings, labels = at(0, 90, 45), np.array([0, 1, 0])
    rows = chosen([1, 1, 0], [0, 0, 1])
    settings = replace(ALL, per_easy=2, neighbours=4)  # two anchors of each class, equally far
    assert vote_by_anchors(embeddings, labels, 2, rows, settings, seed=0).decided[2]
    assert not vote_by_anchors(embeddings, labels, 2, rows, replace(settings, least_share=0.6), seed=0).decided[2]


@pytest.mark.parametrize("easy", [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
def test_without_two_easy_classes_or_a_hard_row_nothing_is_decided(easy):
    labels = np.array([0, 1, 1, 1])
    hard = 1 - np.array(easy)
    votes = vote_by_anchors(at(0, 90, 30, 60), labels, 2, chosen(easy, hard), ALL, seed=0)
    assert votes.labels.tolist() == labels.tolist() and not votes.decided.any() and not votes.shares.any()


@pytest.mark.parametrize("lambda_p", [0.55, 0.65, 0.8])
def test_linear_anchors_repair_hard_rows_where_the_true_class_is_the_nearer_one(lambda_p):
    evidence, truth, hard = anchor_world()
    rows = chosen(~hard, hard)
    settings = AnchorSettings(lambda_p=lambda_p)
    votes = vote_by_anchors(evidence.embeddings, evidence.labels, 4, rows, settings, seed=0)
    assert (evidence.labels == truth)[hard].mean() < 0.4
    assert votes.decided[hard].mean() > 0.5
    assert (votes.labels == truth)[votes.decided].mean() > 0.95


def test_anchors_halfway_between_two_classes_tell_neither():
    evidence, truth, hard = anchor_world()
    votes = vote_by_anchors(
        evidence.embeddings, evidence.labels, 4, chosen(~hard, hard), AnchorSettings(lambda_p=0.5), seed=0
    )
    assert (votes.labels == truth)[votes.decided].mean() < 0.8


def test_the_seed_fixes_the_votes():
    evidence, _, hard = anchor_world(own=0.53)
    rows = chosen(~hard, hard)
    first, again, other = (
        vote_by_anchors(evidence.embeddings, evidence.labels, 4, rows, seed=seed).shares for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_class_a_tenth_as_large_is_repaired_too():
    evidence, truth, hard = anchor_world(easy=80)
    rare = truth == 3
    few = hard | ~rare | (np.cumsum(rare & ~hard) <= 8)
    rows = chosen(~hard[few], hard[few])
    votes = vote_by_anchors(evidence.embeddings[few], evidence.labels[few], 4, rows, seed=0)
    judged = votes.decided & (truth[few] == 3)
    assert judged.any() and (votes.labels == truth[few])[judged].mean() > 0.9

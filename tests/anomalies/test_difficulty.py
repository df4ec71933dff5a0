import numpy as np
import pytest

from anomaly_mlflow.anomalies.difficulty import (
    difficulty,
    disputed,
    drawn_rows,
    hard_rows,
    matched_rows,
    out_of_fold_margin,
)
from anomaly_mlflow.errors import BadData, BadOption


def test_the_margin_is_the_true_probability_less_the_largest_other():
    logits = np.log([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.25, 0.25, 0.5]])
    assert np.allclose(out_of_fold_margin(logits, np.array([0, 1, 2])), [0.5, -0.5, 0.25])


def test_huge_half_precision_logits_stay_finite():
    logits = np.array([[6e4, -6e4], [-6e4, 6e4]], dtype=np.float16)
    assert out_of_fold_margin(logits, np.array([0, 0])).tolist() == [1.0, -1.0]


def test_the_rules_of_difficulty_are_the_low_margin_and_the_margin_near_zero():
    margin = np.array([-0.9, -0.1, 0.2, 0.8])
    assert np.argsort(-difficulty(margin, "margin")).tolist() == [0, 1, 2, 3]
    assert np.argsort(-difficulty(margin, "boundary")).tolist() == [1, 2, 3, 0]


def test_exactly_the_share_of_highest_difficulties_is_hard():
    hard = -np.array([0.5, -0.2, 0.9, 0.1, 0.1, 0.1, 0.7, 0.8, 0.6, 1.0])
    assert np.flatnonzero(hard_rows(hard, 0.3)).tolist() == [1, 3, 4]
    assert np.flatnonzero(hard_rows(hard, 0.3, among=np.arange(10) > 3)).tolist() == [4, 5, 8]
    assert hard_rows(hard, 0).sum() == 0 and hard_rows(hard, 1.0).sum() == 10
    assert hard_rows(np.zeros(1000), 0.0699).sum() == 70


def test_a_share_or_margin_that_makes_no_sense_is_refused():
    with pytest.raises(BadOption, match=r"1\.5"):
        hard_rows(np.zeros(3), 1.5)
    with pytest.raises(BadData, match="1 out-of-fold margins are not finite"):
        hard_rows(np.array([0, np.nan]), 0.5)


def test_rows_are_disputed_where_raters_differ_and_most_are_right():
    raters = np.array([[0, 0, 0, 1, 2], [0, 0, 1, 1, 1], [0, 1, 1, 1, 0]])
    assert disputed(raters, np.zeros(5, int)).tolist() == [False, True, False, False, False]
    four = np.array([[0, 0], [0, 0], [1, 0], [2, 1]])
    assert disputed(four, np.zeros(2, int)).tolist() == [False, True], "half of the raters are no majority"


def test_disputed_rows_are_drawn_by_the_seed_and_a_larger_share_keeps_them():
    among = np.arange(1000) % 2 == 0
    first, again, other, more = (drawn_rows(among, *how) for how in [(0.1, 0), (0.1, 0), (0.1, 1), (0.2, 0)])
    assert first.sum() == 100 and not first[~among].any() and np.array_equal(first, again)
    assert not np.array_equal(first, other) and more[first].all() and more.sum() == 200
    assert 40 < first[:500].sum() < 60


def test_too_few_rows_are_told_with_their_number():
    with pytest.raises(BadOption, match="30 hard rows are asked for and 20 rows qualify"):
        drawn_rows(np.arange(100) < 20, 0.3, 0)
    with pytest.raises(BadOption, match="30 hard rows are asked for and 20 rows qualify"):
        hard_rows(np.zeros(100), 0.3, np.arange(100) < 20)
    with pytest.raises(BadOption, match="60 rows for hard and near_miss together are asked for and 50 rows qualify"):
        matched_rows(np.zeros(100), 0.3, 0.3, np.arange(100) < 50, 0)


def test_matched_rows_split_the_hardest_rows_with_a_partner_at_random():
    rng = np.random.default_rng(0)
    hardness, partner = rng.normal(size=4000), rng.random(4000) < 0.6
    hard, near = matched_rows(hardness, 0.05, 0.1, partner, seed=3)
    assert (hard.sum(), near.sum()) == (200, 400) and not (hard & near).any()
    pool = hard | near
    assert partner[pool].all() and hardness[pool].min() > hardness[partner & ~pool].max()
    assert abs(hardness[hard].mean() - hardness[near].mean()) < 0.08
    assert not np.array_equal(hard, matched_rows(hardness, 0.05, 0.1, partner, seed=4)[0])

import numpy as np
import pytest

from anomaly_mlflow.detection.classifiers import folds, held_out_probabilities
from anomaly_mlflow.detection.measures import auroc, auroc_of
from anomaly_mlflow.errors import BadData


def planted(n=200, effect=2.0, seed=0):
    generator = np.random.default_rng(seed)
    positive = generator.permutation(np.arange(n) < n // 4)
    return generator.normal(size=(n, 3)) + effect * positive[:, None] * [1, 0, 0], positive


def stratified(scores, positive, fold):
    return auroc_of(scores[None], positive, fold)(np.ones((1, len(positive)))).item()


def held_out_auroc(X, positive, groups, seed=0):
    fold = folds(positive, groups, seed)
    return stratified(held_out_probabilities(X, positive, fold), positive, fold)


def test_a_planted_effect_is_found_on_held_out_rows():
    assert held_out_auroc(*planted(), np.arange(200)) > 0.85


def test_no_fold_splits_a_group():
    _, positive = planted()
    groups = np.random.default_rng(1).integers(0, 60, 200)
    fold = folds(positive, groups, seed=0)
    assert all(len(np.unique(fold[groups == group])) == 1 for group in np.unique(groups))
    assert len(np.unique(fold)) == 5


def test_copies_of_a_row_in_one_group_are_not_learnt_by_heart():
    generator = np.random.default_rng(0)
    X, positive = np.repeat(generator.normal(size=(20, 40)), 10, axis=0), np.repeat(generator.random(20) < 0.5, 10)
    apart = held_out_auroc(X, positive, np.repeat(np.arange(20), 10))
    torn = held_out_auroc(X, positive, np.arange(200))
    assert apart < 0.8 < 0.99 < torn


def test_scaling_and_fit_do_not_see_the_held_out_rows():
    X, positive = planted()
    fold = folds(positive, np.arange(200), seed=0)
    moved = X.copy()
    moved[0] = 1e6
    others = (fold == fold[0]) & (np.arange(200) > 0)
    before, after = (held_out_probabilities(values, positive, fold) for values in (X, moved))
    assert np.array_equal(before[others], after[others])
    assert not np.array_equal(before, after)


def test_pairs_within_folds_mend_what_pooled_scores_get_wrong_where_there_is_no_effect():
    pooled, within = [], []
    for seed in range(50):
        X, positive = planted(n=47, effect=0.0, seed=seed)  # 47 rows: folds of unequal class shares
        fold = folds(positive, np.arange(len(X)), seed)
        scores = held_out_probabilities(X, positive, fold)
        pooled.append(auroc(scores, positive))
        within.append(stratified(scores, positive, fold))
    assert np.mean(pooled) + 0.01 < np.mean(within)
    assert np.mean(within) == pytest.approx(0.5, abs=0.05)


def test_few_rows_or_groups_make_fewer_folds():
    positive = np.arange(40) < 4
    assert len(np.unique(folds(positive, np.arange(40), seed=0))) == 4
    groups = np.where(positive, np.arange(40) % 2, np.arange(40))
    fold = folds(positive, groups, seed=0)
    assert len(np.unique(fold)) == len(np.unique(fold[positive])) == 2


def test_under_four_rows_of_a_class_are_refused():
    with pytest.raises(BadData, match="3 positive rows are too few"):
        folds(np.arange(40) < 3, np.arange(40), seed=0)


def test_a_class_from_one_group_is_refused():
    positive = np.arange(40) < 10
    with pytest.raises(BadData, match="one source group"):
        folds(positive, np.where(positive, 7, np.arange(40)), seed=0)


def test_groups_that_leave_no_fold_with_both_classes_are_refused(monkeypatch):
    class Apart:
        """Every fold holds out one class alone, every training side has both."""

        def __init__(self, *args, **options): ...

        def split(self, X, positive, groups):
            return [(np.flatnonzero(np.arange(40) % 4 != k), np.flatnonzero(np.arange(40) % 4 == k)) for k in range(4)]

    monkeypatch.setattr("anomaly_mlflow.detection.classifiers.StratifiedGroupKFold", Apart)
    with pytest.raises(BadData, match="no fold holds out rows of both classes"):
        folds(np.arange(40) % 4 < 2, np.arange(40), seed=0)


def test_scores_come_from_the_seed_alone():
    X, positive = planted(effect=0.3)
    drawn = [folds(positive, np.arange(200), seed) for seed in (1, 1, 2)]
    same, again, other = (held_out_probabilities(X, positive, fold) for fold in drawn)
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)

import numpy as np
import pytest
import synthetic

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.detection.judge_types import fit_types, judge_types, type_judgement
from anomaly_mlflow.detection.types import MERGED, TYPES, merge, merge_codes, type_codes, type_folds
from anomaly_mlflow.errors import BadData

SMALL = {kind: 30 for kind in MADE}


@pytest.fixture(autouse=True)
def two_folds(monkeypatch):
    monkeypatch.setattr("anomaly_mlflow.detection.types.FOLDS", 2)


def judgement(truth, groups, seed=0):
    _, X, fitted = judge_types(synthetic.features(truth, seeds=1), truth, groups, seed=seed)
    return type_judgement(fitted[0], X[0])


def test_probabilities_are_a_distribution_that_finds_the_planted_strangers():
    truth = synthetic.ledger(SMALL)
    found = judgement(truth, np.arange(len(truth))).probability
    assert found.shape == (len(truth), len(TYPES))
    assert found.sum(axis=1) == pytest.approx(1)
    ood = truth["anomaly_type"] == AnomalyType.OOD
    assert found[ood, TYPES.index(AnomalyType.OOD)].mean() > 3 * found[~ood, TYPES.index(AnomalyType.OOD)].mean()


def test_a_missing_type_has_probability_zero_and_is_never_called():
    truth = synthetic.ledger({**SMALL, AnomalyType.HARD: 0})
    found, hard = judgement(truth, np.arange(len(truth))), TYPES.index(AnomalyType.HARD)
    assert not found.probability[:, hard].any() and hard not in found.called
    assert found.probability.sum(axis=1) == pytest.approx(1)


def test_a_type_of_one_row_is_borne_without_a_warning():
    truth = synthetic.ledger({**SMALL, AnomalyType.HARD: 1})
    found = judgement(truth, np.arange(len(truth))).probability
    assert found[truth["anomaly_type"] == AnomalyType.HARD, TYPES.index(AnomalyType.HARD)] == 0


def test_folds_cover_every_row_once_and_split_no_group():
    codes, groups = np.tile(np.arange(6), 40), np.repeat(np.arange(60), 4)
    held_out = type_folds(codes, groups, seed=0)
    assert np.array_equal(np.sort(np.concatenate(held_out)), np.arange(240))
    sides = [set(groups[rows]) for rows in held_out]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 60


def test_rows_are_judged_by_a_model_that_did_not_see_them():
    generator = np.random.default_rng(0)
    codes, X = generator.integers(0, 2, 200), generator.normal(size=(1, 200, 20))
    fitted = fit_types(X, codes, np.arange(200), type_folds(codes, np.arange(200), seed=0), 0)
    found = type_judgement(fitted[0], X[0])
    assert np.mean(found.called == codes) < 0.65


def test_judgements_come_from_the_seed_alone():
    truth = synthetic.ledger({AnomalyType.CLEAN: 60, AnomalyType.GROSS: 60})
    same, again, other = (judgement(truth, np.arange(120), seed).probability for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)


def test_one_type_or_an_unknown_one_is_refused():
    with pytest.raises(BadData, match="at least two types"):
        type_folds(np.zeros(20, int), np.arange(20), seed=0)
    with pytest.raises(BadData, match="unknown anomaly type 'odd'"):
        type_codes(np.array(["clean", "odd"]))


def test_an_only_type_from_a_single_source_is_refused():
    codes = np.repeat([0, 5], [30, 10])
    with pytest.raises(BadData, match="single source group"):
        type_folds(codes, np.where(codes == 5, -1, np.arange(40)), seed=0)


def test_merging_adds_gross_errors_and_random_flips_and_nothing_else():
    assert MERGED == ("clean", "hard", "near_miss", "gross_or_flip", "ood", "human_error")
    assert merge(np.array([0.1, 0.2, 0.05, 0.3, 0.15, 0.1, 0.1])) == pytest.approx([0.1, 0.2, 0.05, 0.45, 0.1, 0.1])
    assert merge_codes(np.arange(7)).tolist() == [0, 1, 2, 3, 3, 4, 5]


def test_what_abstains_is_wrong_more_often_than_what_is_called():
    counts = {kind: 60 for kind in MADE}
    truth = synthetic.ledger(counts)
    found = judgement(truth, np.arange(len(truth)))
    places = merge_codes(type_codes(truth["anomaly_type"].to_numpy()))
    right, flagged = found.merged_called == places, found.merged_called > 0
    assert right[flagged & ~found.abstains].mean() > 0.1 + right[flagged & found.abstains].mean()

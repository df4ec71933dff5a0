import numpy as np
import pytest
import synthetic

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.detection.types import TYPES, fit_types, type_folds, type_probabilities
from anomaly_mlflow.errors import BadData

SMALL = {kind: 30 for kind in MADE}


@pytest.fixture(autouse=True)
def two_folds(monkeypatch):
    monkeypatch.setattr("anomaly_mlflow.detection.types.FOLDS", 2)


def probabilities(truth, groups, seed=0):
    types = truth["anomaly_type"].to_numpy()
    _, X = matrix(join(synthetic.features(truth, seeds=1)[0], truth))
    return type_probabilities(fit_types(X, types, type_folds(types, groups, seed), seed), X)


def test_probabilities_are_a_distribution_that_finds_the_planted_strangers():
    truth = synthetic.ledger(SMALL)
    found = probabilities(truth, np.arange(len(truth)))
    assert found.shape == (len(truth), len(TYPES))
    assert found.sum(axis=1) == pytest.approx(1)
    ood = truth["anomaly_type"] == AnomalyType.OOD
    assert found[ood, TYPES.index(AnomalyType.OOD)].mean() > 3 * found[~ood, TYPES.index(AnomalyType.OOD)].mean()


def test_a_missing_type_has_probability_zero():
    truth = synthetic.ledger({**SMALL, AnomalyType.HARD: 0})
    found = probabilities(truth, np.arange(len(truth)))
    assert not found[:, TYPES.index(AnomalyType.HARD)].any()
    assert found.sum(axis=1) == pytest.approx(1)


def test_a_type_of_one_row_is_borne_without_a_warning():
    truth = synthetic.ledger({**SMALL, AnomalyType.HARD: 1})
    found = probabilities(truth, np.arange(len(truth)))
    assert found[truth["anomaly_type"] == AnomalyType.HARD, TYPES.index(AnomalyType.HARD)] == 0


def test_folds_cover_every_row_once_and_split_no_group():
    types, groups = np.tile([str(kind) for kind in MADE], 40), np.repeat(np.arange(60), 4)
    held_out = type_folds(types, groups, seed=0)
    assert np.array_equal(np.sort(np.concatenate(held_out)), np.arange(240))
    sides = [set(groups[rows]) for rows in held_out]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 60


def test_rows_are_judged_by_a_model_that_did_not_see_them():
    generator = np.random.default_rng(0)
    types, X = generator.choice(["clean", "hard"], 200), generator.normal(size=(200, 20))
    held_out = type_folds(types, np.arange(200), seed=0)
    found = type_probabilities(fit_types(X, types, held_out, 0), X)
    assert np.mean((found[:, 1] > 0.5) == (types == "hard")) < 0.65


def test_probabilities_come_from_the_seed_alone():
    truth = synthetic.ledger({AnomalyType.CLEAN: 60, AnomalyType.GROSS: 60})
    same, again, other = (probabilities(truth, np.arange(120), seed) for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)


def test_one_type_or_an_unknown_one_is_refused():
    with pytest.raises(BadData, match="at least two types"):
        type_folds(np.repeat("clean", 20), np.arange(20), seed=0)
    with pytest.raises(BadData, match="unknown anomaly type 'odd'"):
        type_folds(np.array(["clean", "odd"]), np.arange(2), seed=0)


def test_an_only_type_from_a_single_source_is_refused():
    types = np.repeat(["clean", "ood"], [30, 10])
    with pytest.raises(BadData, match="single source group"):
        type_folds(types, np.where(types == "ood", -1, np.arange(40)), seed=0)

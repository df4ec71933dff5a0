import numpy as np
import pytest
import synthetic

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.detection.explain import explain, shap_values
from anomaly_mlflow.detection.judge_types import judge_types, type_judgement
from anomaly_mlflow.detection.types import TYPES

SMALL = {kind: 30 for kind in MADE}


@pytest.fixture(autouse=True)
def two_folds(monkeypatch):
    monkeypatch.setattr("anomaly_mlflow.detection.types.FOLDS", 2)


def test_values_add_up_to_the_log_odds_of_the_fold_that_did_not_see_the_row():
    truth = synthetic.ledger(SMALL)
    _, X, fitted = judge_types(synthetic.features(truth, seeds=1), truth, np.arange(len(truth)))
    values, probability = shap_values(fitted[0], X[0]), type_judgement(fitted[0], X[0]).probability
    rows = fitted[0][1].rows
    explained = np.log(probability[rows, :6]) - values[rows, :, :6].sum(axis=1)
    between = explained - explained[:, :1]  # log-odds against clean: what is left is the same for every row
    assert between == pytest.approx(np.repeat(between[:1], len(rows), axis=0), abs=2e-3)


def test_the_planted_signal_explains_its_type():
    truth = synthetic.ledger(SMALL)
    found, each = explain(synthetic.features(truth), truth, np.arange(len(truth)))
    assert found.values == pytest.approx(np.mean(each, axis=0))
    ood = TYPES.index(AnomalyType.OOD)
    rows = truth["anomaly_type"] == AnomalyType.OOD
    strongest = found.columns[np.abs(found.values[:, :, ood]).mean(axis=0).argmax()]
    assert strongest in ("uncertainty.entropy", "geometry.knn_distance", "geometry.prototype_distance")
    assert found.values[rows, found.columns.index(strongest), ood].mean() > 0
    assert found.values.shape == (len(truth), len(synthetic.COLUMNS), 6)
    assert np.array_equal(found.sample_id, truth["sample_id"])
    assert found.probability.sum(axis=1) == pytest.approx(1)
    assert 0 < found.percentile.min() < found.percentile.max() < 1


@pytest.mark.parametrize("counts", [{**SMALL, AnomalyType.NEAR_MISS: 0}, {AnomalyType.CLEAN: 60, AnomalyType.OOD: 60}])
def test_types_that_are_missing_have_no_values(counts):
    truth = synthetic.ledger(counts)
    found, _ = explain(synthetic.features(truth, seeds=1), truth, np.arange(len(truth)))
    assert found.types == MADE
    missing = [MADE.index(kind) for kind in MADE if not counts.get(kind)]
    assert not found.values[:, :, missing].any()
    present = [position for position in range(6) if position not in missing]
    assert (np.abs(found.values[:, :, present]).sum(axis=(0, 1)) > 0).all()


def test_human_errors_are_explained_where_there_are_some():
    truth = synthetic.ledger({**SMALL, AnomalyType.HUMAN_ERROR: 30})
    found, _ = explain(synthetic.features(truth, seeds=1), truth, np.arange(len(truth)))
    assert found.types == (*MADE, AnomalyType.HUMAN_ERROR)
    assert found.probability.shape == (len(truth), 7) and found.values[:, :, 6].any()
    assert found.probability.sum(axis=1) == pytest.approx(1)


def test_with_two_types_what_speaks_for_one_speaks_against_the_other():
    truth = synthetic.ledger({AnomalyType.CLEAN: 60, AnomalyType.OOD: 60})
    found, _ = explain(synthetic.features(truth, seeds=1), truth, np.arange(120))
    clean, ood = TYPES.index(AnomalyType.CLEAN), TYPES.index(AnomalyType.OOD)
    assert np.array_equal(found.values[:, :, clean], -found.values[:, :, ood])
    high = found.percentile[:, found.columns.index("geometry.prototype_distance")] > 0.9
    assert found.values[high, :, ood].sum(axis=1).mean() > 0

import numpy as np
import pytest
import synthetic

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.detection.explain import explain, shap_values
from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.detection.types import TYPES, fit_types, type_folds

SMALL = {kind: 30 for kind in MADE}


@pytest.fixture(autouse=True)
def two_folds(monkeypatch):
    monkeypatch.setattr("anomaly_mlflow.detection.types.FOLDS", 2)


def test_values_add_up_to_the_decision_of_the_fold_that_did_not_see_the_row():
    truth = synthetic.ledger(SMALL)
    types = truth["anomaly_type"].to_numpy()
    _, X = matrix(join(synthetic.features(truth, seeds=1)[0], truth))
    fitted = fit_types(X, types, type_folds(types, np.arange(len(X)), 0), 0)
    values = shap_values(fitted, X)
    rows, model = fitted[1].rows, fitted[1].model
    gap = model.decision_function(X[rows]) - values[rows][..., model.classes_].sum(axis=1)
    assert gap == pytest.approx(np.repeat(gap[:1], len(rows), axis=0), abs=1e-4)


def test_the_planted_signal_explains_its_type():
    truth = synthetic.ledger(SMALL)
    found = explain(synthetic.features(truth), truth, np.arange(len(truth)))
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
    found = explain(synthetic.features(truth, seeds=1), truth, np.arange(len(truth)))
    assert found.types == MADE
    missing = [MADE.index(kind) for kind in MADE if not counts.get(kind)]
    assert not found.values[:, :, missing].any()
    present = [position for position in range(6) if position not in missing]
    assert (np.abs(found.values[:, :, present]).sum(axis=(0, 1)) > 0).all()


def test_human_errors_are_explained_where_there_are_some():
    truth = synthetic.ledger({**SMALL, AnomalyType.HUMAN_ERROR: 30})
    found = explain(synthetic.features(truth, seeds=1), truth, np.arange(len(truth)))
    assert found.types == (*MADE, AnomalyType.HUMAN_ERROR)
    assert found.probability.shape == (len(truth), 7) and found.values[:, :, 6].any()
    assert found.probability.sum(axis=1) == pytest.approx(1)


def test_with_two_types_what_speaks_for_one_speaks_against_the_other():
    truth = synthetic.ledger({AnomalyType.CLEAN: 60, AnomalyType.OOD: 60})
    found = explain(synthetic.features(truth, seeds=1), truth, np.arange(120))
    clean, ood = TYPES.index(AnomalyType.CLEAN), TYPES.index(AnomalyType.OOD)
    assert np.array_equal(found.values[:, :, clean], -found.values[:, :, ood])
    high = found.percentile[:, found.columns.index("geometry.prototype_distance")] > 0.9
    assert found.values[high, :, ood].sum(axis=1).mean() > 0

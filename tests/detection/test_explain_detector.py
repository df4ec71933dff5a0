import numpy as np
import pytest
import synthetic
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from anomaly_mlflow.anomalies.types import AnomalyType as T
from anomaly_mlflow.detection.explain_detector import explain_detector
from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.errors import BadData

COLUMNS = ["geometry.knn_distance", "label.loss", "uncertainty.entropy"]


def test_the_values_are_those_of_a_linear_model_by_hand_and_the_planted_signal_is_strongest():
    truth = synthetic.ledger({T.CLEAN: 100, T.OOD: 60})
    table = join(synthetic.features(truth, seeds=1)[0], truth)
    X = matrix(table, (), COLUMNS)[1]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(X, truth["anomaly_type"] == T.OOD)
    strength, values = explain_detector(model, COLUMNS, [table, table])
    weights = model[-1].coef_[0]
    rows = table.set_index("sample_id").loc[values["sample_id"], COLUMNS].to_numpy()
    gap = model[0].transform(rows) * weights - values[COLUMNS].to_numpy()
    one = (values["seed"] == 0).to_numpy()
    assert gap[one] == pytest.approx(np.repeat(gap[one][:1], one.sum(), axis=0), abs=1e-6)  # the background's mean
    assert strength["signal"].tolist() == [COLUMNS[i] for i in np.argsort(-strength_by_hand(values))]
    assert strength["signal"][0] == COLUMNS[int(np.abs(weights).argmax())]


def strength_by_hand(values):
    return np.abs(values[COLUMNS].to_numpy()).mean(axis=0)


def test_a_signal_that_is_missing_is_named():
    truth = synthetic.ledger({T.CLEAN: 40})
    table = join(synthetic.features(truth, seeds=1)[0], truth)
    with pytest.raises(BadData, match="lacks geometry"):
        explain_detector(None, ["geometry.vim"], [table])

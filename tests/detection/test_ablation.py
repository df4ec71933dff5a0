import numpy as np
import pytest
import synthetic

from anomaly_mlflow.anomalies.types import AnomalyType as T
from anomaly_mlflow.detection.ablation import ablation
from anomaly_mlflow.detection.table import join, matrix

COUNTS = {T.CLEAN: 60, T.HARD: 60, T.NEAR_MISS: 60, T.OOD: 30}


@pytest.fixture(scope="module")
def table():
    truth = synthetic.ledger(COUNTS)
    joined = [matrix(join(frame, truth)) for frame in synthetic.features(truth)]
    X = np.stack([values for _, values in joined])
    types = truth["anomaly_type"].to_numpy()
    found = ablation(joined[0][0], X, types, np.arange(len(types)), draws=100)
    return found.set_index(["measure", "how", "what"])


def test_only_dynamics_tell_near_misses_from_hard_images_where_only_they_were_planted(table):
    pair = table.loc["near_miss_vs_hard"]
    assert pair.loc[("only", "dynamics"), "value"] > 0.8 > 0.6 > pair.loc[("only", "geometry"), "value"]
    assert pair.loc[("all_but", "dynamics"), "loss_low"] > 0.15
    assert pair.loc["permuted"]["loss"].idxmax() == "dynamics.area_under_margin"
    assert pair.loc[("dropped", "dynamics.area_under_margin"), "loss_low"] > 0.15


def test_every_family_and_every_signal_is_tried(table):
    for measure in ("macro_f1", "near_miss_vs_hard"):
        own = table.loc[measure]
        assert (
            set(own.loc["only"].index)
            == set(own.loc["all_but"].index)
            == {
                "uncertainty",
                "label",
                "geometry",
                "dynamics",
            }
        )
        assert set(own.loc["permuted"].index) == set(synthetic.COLUMNS)


def test_a_loss_is_what_all_signals_reach_less_what_is_left(table):
    whole = table.loc[("macro_f1", "all", "all signals")]
    assert whole["loss"] == whole["loss_low"] == whole["loss_high"] == 0
    rest = table.loc["macro_f1"]
    assert (whole["value"] - rest["value"]).to_numpy() == pytest.approx(rest["loss"].to_numpy())

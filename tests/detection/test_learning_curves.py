import numpy as np
import pytest
from planted_tasks import planted

from anomaly_mlflow.detection import learning_curves as module
from anomaly_mlflow.detection.learning_curves import learning_curves


@pytest.fixture
def two(monkeypatch):
    names = ("best_signal", "logistic_regression")
    monkeypatch.setattr(module, "DETECTORS", {name: module.DETECTORS[name] for name in names})
    return names


def test_more_labelled_anomalies_make_a_better_detector_up_to_as_many_as_there_are(two):
    curves = learning_curves({"error": planted(n=600, effect=1.0, seeds=2)})
    assert set(curves["anomalies"]) == {10, 25, 50, 100}  # of 150 a fold of 30 is held out
    assert set(curves["detector"]) == set(two) and set(curves["measure"]) == {"auroc", "f1"}
    own = curves[(curves["detector"] == "logistic_regression") & (curves["measure"] == "auroc")].set_index("anomalies")
    assert own.loc[100, "value"] > own.loc[10, "value"]
    assert (own["low"] <= own["value"]).all() and (own["repeats"] == 5).all()


def test_the_seed_alone_decides_the_curve(two):
    data = {"error": planted(n=200)}
    assert learning_curves(data, seed=1).equals(learning_curves(data, seed=1))
    assert not learning_curves(data, seed=1).equals(learning_curves(data, seed=2))


def test_a_draw_takes_so_many_anomalies_with_other_rows_in_proportion():
    positive = np.arange(1000) < 100
    rows = module._draw(positive, np.arange(1000), 20, np.random.default_rng(0))
    assert (positive[rows].sum(), len(rows)) == (20, 200)
    many = module._draw(np.arange(50_000) < 1000, np.arange(50_000), 500, np.random.default_rng(0))
    assert len(many) == 2000


def test_held_out_rows_are_never_drawn(two, monkeypatch):
    data = planted(n=200)
    drawn = []
    plain = module._draw
    monkeypatch.setattr(
        module, "_draw", lambda positive, rows, *rest: drawn.append(rows) or plain(positive, rows, *rest)
    )
    module._curve("error", data, "best_signal", 0)
    fold = module.folds(data.positive, data.groups, 0)
    assert [len(rows) for rows in drawn[:5]] == [int((fold != number).sum()) for number in range(5)]


def test_too_few_rows_give_no_curve(two):
    assert learning_curves({"error": planted(n=12, share=0.2)}).empty

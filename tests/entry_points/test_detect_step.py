"""The step `detect` on planted tables, in this process and with two quick detectors."""

import pandas as pd
import pytest
from planted_runs import plant

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.detection import learning_curves, scoreboard
from anomaly_mlflow.tracking.lifecycle import start
from anomaly_mlflow.tracking.run import Run
from entry_points.options import OPTIONS
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")


def test_detect_leaves_a_table_curves_figures_and_a_page(desk, monkeypatch, capsys):
    quick = {name: scoreboard.DETECTORS[name] for name in ("best_signal", "logistic_regression")}
    for module in (scoreboard, learning_curves):
        monkeypatch.setattr(module, "DETECTORS", quick)
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("ANOMALY_STATE", str(desk.folder / "state"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{desk.folder}/mlflow.db")
    _, noise, _, features = plant(desk)
    upstream = {"generate_noise": [Run(noise)], "extract_features": [Run(one) for one in features.split(",")]}
    options = {name: OPTIONS[name].default for name in STEPS["detect"].options} | {"draws": 100, "jobs": 1}
    with start("detect", {}) as run:
        STEPS["detect"].function(run, options, upstream)
    board = pd.read_csv(desk.artifact(run.id, "detectors.csv"))
    assert set(board["task"]) == {"error", "near_miss_vs_hard", "gross_vs_clean", "ood_vs_clean"}
    assert set(board["arm"]) == {"geometry", "uncertainty", "dynamics", "all"}
    curves = pd.read_csv(desk.artifact(run.id, "learning_curve.csv"))
    assert set(curves["measure"]) == {"auroc", "f1"} and 10 in set(curves["anomalies"])
    assert "data:image/png" in desk.artifact(run.id, "report.html").read_text()
    for name in ("auroc", "average_precision", "f1", "learning_curve"):
        assert desk.artifact(run.id, f"{name}.png").stat().st_size > 5000
    metrics = desk.client.get_run(run.id).data.metrics
    assert metrics["gross_vs_clean/logistic_regression.auroc"] > 0.9
    assert "Highest AUROC by all signals." in capsys.readouterr().out

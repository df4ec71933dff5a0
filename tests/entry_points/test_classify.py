"""The type classifier on the runs of the main job."""

import pandas as pd
import pytest
from desk import SMALL

from entry_points.classify import _plain

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.slow
def test_classify_leaves_the_tables_and_the_page_that_were_promised(study):
    desk, _ = study
    done = desk.type("classify", *SMALL)
    assert done.returncode == 0, done.stderr
    run = desk.runs("classify")[0].info.run_id
    found = pd.read_parquet(desk.artifact(run, "type_probabilities.parquet"))
    assert len(found) == 400 and list(found.columns[-2:]) == ["called", "would_call"]
    assert found.iloc[:, 1:8].sum(axis=1).between(0.999, 1.001).all()
    for name in ("confusion", "confusion_merged", "calibration", "type_scores", "ablation", "limits"):
        assert len(pd.read_csv(desk.artifact(run, f"{name}.csv")))
    for name in ("confusion", "confusion_merged", "reliability", "risk_coverage", "ablation"):
        assert desk.artifact(run, f"{name}.png").stat().st_size > 5000
    assert "<h1>Which type of anomaly is it?</h1>" in desk.artifact(run, "report.html").read_text()
    assert "macro_f1 " in done.stdout and "calibration_error " in done.stdout


def test_explain_leaves_pairs_stability_and_sentences(study):
    desk, _ = study
    run = desk.oldest("explain")[0].info.run_id
    pairs = pd.read_csv(desk.artifact(run, "pairs.csv"))
    assert set(pairs["signal"]) and len(pairs) == 15 * pairs["signal"].nunique()
    stability = pd.read_csv(desk.artifact(run, "stability.csv"))
    assert stability["type"].iloc[-1] == "all" and stability["correlation"].between(-1, 1).all()
    report = desk.artifact(desk.oldest("main")[0].info.run_id, "report.html").read_text()
    assert "it looks like a near miss, mostly because" in report


def test_a_detector_that_is_no_registered_model_is_refused(study):
    desk, _ = study
    done = desk.type("explain", "--detector", "forest")
    assert done.returncode != 0 and "detector=forest is neither types nor a registered model" in done.stderr


def test_a_source_of_any_name_makes_a_metric_that_mlflow_takes():
    assert _plain("my $pictures (1)") == "my _pictures _1_"

"""`nutrition_label` on a few digits: one page and one file that say what is known, and what is not."""

import json

import numpy as np
import pandas as pd
import pytest
from desk import Desk

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import AnomalyError
from entry_points.nutrition_label import check_label
from entry_points.options import OPTIONS
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")

QUICK = ["--subset", "300", "--baseline_epochs", "2", "--baseline_folds", "2", "--model", "convnet", "--epochs", "4"]
QUICK += ["--validation_folds", "2", "--probe_share", "0.3", "--draws", "100", "--jobs", "1"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Digits that three people labelled again, each wrong on a tenth."""
    desk = Desk(tmp_path_factory.mktemp("nutrition"))
    samples, rng = load("digits"), np.random.default_rng(0)
    people = {name: (samples.labels + (rng.random(len(samples)) < 0.1)) % 10 for name in ("ann", "bob", "cid")}
    pd.DataFrame({"index": samples.sample_id, **people}).to_parquet(desk.folder / "people.parquet")
    raters = f"parquet:{desk.folder / 'people.parquet'}#ann,bob,cid"
    found = desk.type("nutrition_label", *QUICK, "--licence", "CC BY 4.0", "--raters", raters)
    assert found.returncode == 0, found.stderr[-3000:]
    return desk, desk.runs("nutrition_label")[0].info.run_id, found


def label_of(desk, run_id):
    return json.loads(desk.artifact(run_id, "nutrition_label.json").read_text())


def test_one_command_says_where_the_data_are_from_and_what_is_in_them(done):
    desk, whole, _ = done
    label = label_of(desk, whole)
    data = json.loads(desk.artifact(desk.runs("generate_noise")[0].info.run_id, "data.json").read_text())
    provenance = label["provenance"]
    assert (provenance["source"], provenance["sha256"]) == ("digits", data["digests"]["dataset"])
    assert provenance["licence"] == "CC BY 4.0" and provenance["part"]["subset"] == 300
    assert label["data"]["rows"] == 300 and sum(one["rows"] for one in label["classes"]) == 300
    assert label["unknown"] == []
    page = desk.artifact(whole, "report.html").read_text()
    assert "CC BY 4.0" in page and data["digests"]["dataset"] in page and 'src="http' not in page


def test_nothing_is_made_wrong_on_the_way(done):
    desk, whole, _ = done
    ledger = pd.read_parquet(desk.artifact(desk.runs("generate_noise")[0].info.run_id, "ledger.parquet"))
    assert set(ledger["anomaly_type"]) == {"clean"}
    assert label_of(desk, whole)["provenance"]["injected"] == {"errors": "none"}


def test_rates_by_type_have_intervals_and_sum_to_that_of_all(done):
    desk, whole, found = done
    rates = label_of(desk, whole)["rates"]
    assert list(rates) == ["any", "near_miss", "gross", "random_flip", "ood"]
    of_types = sum(one["value"] for kind, one in rates.items() if kind != "any")
    assert of_types == pytest.approx(desk.runs("nutrition_label")[0].data.metrics["rate.any"], abs=0.05)
    assert all(one["low"] is None or one["low"] <= one["value"] <= one["high"] for one in rates.values())
    assert "unknown: nothing" in found.stdout


def test_people_joint_and_correlations_are_there(done):
    desk, whole, _ = done
    label = label_of(desk, whole)
    assert label["people"]["raters"] == 3 and 0.6 < label["people"]["unanimous"]["value"] < 0.85
    counts = np.array(label["confident_joint"]["counts"])
    assert counts.shape == (10, 10) and counts.sum(axis=1).tolist() == [one["rows"] for one in label["classes"]]
    assert len(label["correlations"]["signals"]) > 20
    assert np.array(label["correlations"]["spearman"]).shape == (len(label["correlations"]["signals"]),) * 2


def test_what_was_injected_and_what_nobody_knows_is_said(done):
    desk, _, _ = done
    signals = ["--signals", "entropy,self_confidence,area_under_margin"]
    again = desk.type("nutrition_label", *QUICK, "--inject", "yes", "--gross_share", "0.1", *signals)
    assert again.returncode == 0, again.stderr[-3000:]
    label = label_of(desk, desk.runs("nutrition_label")[0].info.run_id)
    assert label["provenance"]["injected"]["share.gross"] == pytest.approx(0.1)
    assert label["unknown"] == ["provenance.licence", "people"]
    assert "unknown: provenance.licence, people" in again.stdout
    assert [name.partition(".")[2] for name in label["correlations"]["signals"]] == signals[1].split(",")


def asked(**changed):
    defaults = {name: one.type.convert(one.default, one, None) for name, one in OPTIONS.items()}
    return {name: defaults[name] for name in STEPS["nutrition_label"].options} | changed


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gross_share": 0.1}, "gross_share=0.1 has no effect without inject=yes"),
        ({"raters": "parquet:people.parquet#ann"}, "must name two columns or more"),
        ({"raters": "parquet:people.parquet#ann,ann"}, "must name two columns or more"),
        ({"raters": "parquet:/nowhere/people.parquet#ann,bob"}, "does not exist"),
        ({"signals": "entropy"}, "correlations need two signals"),
        ({"signals": "entropy,foo"}, "unknown signal 'foo'"),
        ({"near_table": "human"}, "need the truth"),
        ({"probe_share": 0.9}, "leaves too few labels as given"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_made(changed, said):
    check_label(asked())
    with pytest.raises(AnomalyError, match=said):
        check_label(asked(**changed))

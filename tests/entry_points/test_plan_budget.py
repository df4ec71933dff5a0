"""`plan_budget` on a few digits: one command, a recommendation, and no use of the truth."""

import json

import numpy as np
import pandas as pd
import pytest
from desk import Desk

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.errors import AnomalyError
from entry_points.options import OPTIONS
from entry_points.plan_budget import check_plan
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")

DATA = ["--subset", "400", "--baseline_epochs", "2", "--baseline_folds", "2", "--inject", "yes"]
DATA += ["--convention", "symmetric", "--convention_rate", "0.3", "--ood_share", "0", "--hard_share", "0"]
QUICK = ["--model", "convnet", "--epochs", "10", "--batch_size", "32", "--validation_folds", "2", "--jobs", "1"]
PLAN = ["plan_budget", *DATA, *QUICK, "--probe_seeds", "2"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("budget"))
    found = desk.type(*PLAN)
    assert found.returncode == 0, found.stderr[-3000:]
    return desk, desk.runs("plan_budget")[0].info.run_id, found


def test_one_command_leaves_a_recommendation_a_frontier_and_a_page(done):
    desk, whole, found = done
    told = json.loads(desk.artifact(whole, "advice.json").read_text())
    assert told["sentence"] in found.stdout and told["best_mix"] in found.stdout
    assert told["choice"] in ("relabel", "label_more", "undecided") and told["budget"] == 40
    assert told["rate"]["low"] < told["rate"]["value"] < told["rate"]["high"]
    frontier = pd.read_csv(desk.artifact(whole, "frontier.csv"))
    assert (frontier["cost"] >= 0).all() and frontier["best"].any() and frontier["accuracy"].between(0, 1).all()
    measured = pd.read_csv(desk.artifact(whole, "measured.csv"))
    # folds of 200 rows, the rate as estimated is the least that can be measured
    assert measured["labels"].max() in range(190, 201)
    assert measured["rate"].min() == pytest.approx(told["rate"]["value"])
    page = desk.artifact(whole, "report.html").read_text()
    assert "are cross-fitted" in page and "test images whose labels count as right" in page
    assert desk.artifact(whole, "frontier.png").stat().st_size > 5000
    assert desk.artifact(whole, "frontier.json").is_file()


def test_the_most_suspicious_are_checked_first_and_the_truth_stands_beside(done):
    desk, whole, found = done
    ledger = pd.read_parquet(desk.artifact(desk.runs("generate_noise")[0].info.run_id, "ledger.parquet"))
    wrong = (ledger["true_label"] != ledger["given_label"]).mean()
    page = desk.artifact(whole, "report.html").read_text()
    assert f"wrong labels by the ledger (not used): {wrong:.1%}" in found.stdout and f"{wrong:.1%}" in page
    checked = found.stdout.partition("among the checked by the ledger (not used): ")[2].partition("%")[0]
    assert float(checked) / 100 > wrong + 0.1


def test_another_ledger_changes_what_is_printed_beside_and_nothing_else(done):
    desk, whole, _ = done
    noise = desk.runs("generate_noise")[0].info.run_id
    path = desk.artifact(noise, "ledger.parquet")
    kept = path.read_bytes()
    ledger = pd.read_parquet(path)
    ledger["anomaly_type"] = np.where(np.arange(len(ledger)) < 100, "gross", "clean")
    ledger["true_label"] = ledger["given_label"]
    ledger.to_parquet(path)
    again = desk.type("plan_budget", *QUICK, "--probe_seeds", "2", "--inject", "yes", "--noise_run", noise)
    path.write_bytes(kept)
    assert again.returncode == 0, again.stderr[-3000:]
    assert "wrong labels by the ledger (not used): 25.0%" in again.stdout
    newest = desk.runs("plan_budget")[0].info.run_id
    assert newest != whole
    for name in ("advice.json", "frontier.csv", "measured.csv"):
        assert desk.artifact(newest, name).read_bytes() == desk.artifact(whole, name).read_bytes()


def asked(**changed):
    defaults = {name: one.type.convert(one.default, one, None) for name, one in OPTIONS.items()}
    return {name: defaults[name] for name in STEPS["plan_budget"].options} | changed


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gross_share": 0.1}, "gross_share=0.1 has no effect without inject=yes"),
        ({"pretrained": "yes"}, "no pretrained weights"),
        ({"geometry_encoder": "timm:nope"}, "unknown model 'timm:nope'"),
        ({"inject": "yes", "ood": "digits"}, "is the data set itself"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_made(changed, said):
    check_plan(asked())
    with pytest.raises(AnomalyError, match=said):
        check_plan(asked(**changed))


WORDS = [
    ["--budget", "0"],
    ["--budget", "nan"],
    ["--label_cost", "-1"],
    ["--label_cost", "nan"],
    ["--probe_seeds", "1"],
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_price_that_makes_no_sense_is_refused(desk, words):
    found = desk.type("plan_budget", *words)
    assert found.returncode == 2 and words[0].removeprefix("--") in found.stderr

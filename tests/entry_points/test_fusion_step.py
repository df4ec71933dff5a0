"""`fusion_conflict` on a few hundred digits: killed and typed again, it goes on with the next training."""

import json
import os
import signal

import pandas as pd
import pytest
from desk import Desk
from test_processes import begin
from test_processes import wait_for as wait_for_process

from anomaly_mlflow.errors import BadOption
from entry_points.fusion_cells import cells_of, check_fusion, options_of

pytestmark = pytest.mark.filterwarnings("default")

TINY = ["--epochs", "6", "--draws", "100", "--jobs", "1", "--seeds", "1"]  # long enough to be killed in the midst
LEVELS = ["--consistent_shares", "1,0.7", "--metadata_noises", "0", "--modality_dropouts", "0.5"]
STUDY = ["fusion_conflict", *TINY, *LEVELS, "--embedding_noises", "0", "--metadata_scales", "1"]
CELLS = ["plain", "consistent_share=0.7", "modality_dropout=0.5", "image only", "metadata only"]
ASKED = {
    "consistent_shares": "1,0.9", "metadata_noises": "0", "modality_dropouts": "0.5", "embedding_noises": "1",
    "metadata_scales": "1", "encoder": "convnet", "pretrained": "no", "training_seed": 3, "seeds": 2,
}  # fmt: skip


def second_training_is_at_work(desk):
    made = desk.runs("fusion")
    return len(made) >= 2 and "anomaly.fingerprint" in made[0].data.tags


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A study that was killed after its first training, and typed again."""
    desk = Desk(tmp_path_factory.mktemp("fusion"))
    with begin(desk, *STUDY) as process:
        wait_for_process(lambda: second_training_is_at_work(desk), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    first = desk.oldest("fusion")[0].info.run_id
    done = desk.type(*STUDY)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, first, done


def test_a_killed_study_goes_on_with_the_next_training(killed):
    desk, first, _ = killed
    made = [run.data.tags["anomaly.step"] for run in desk.runs()]
    assert {step: made.count(step) for step in set(made)} == {"fusion_conflict": 1, "fusion": 5}
    assert {run.info.status for run in desk.runs()} == {"FINISHED"}
    whole, trained = desk.runs("fusion_conflict")[0], desk.runs("fusion")
    assert {run.data.tags["mlflow.parentRunId"] for run in trained} == {whole.info.run_id}
    assert first in {run.info.run_id for run in trained}


def test_the_tables_have_a_row_for_each_cell_and_outcome(killed):
    desk, _, done = killed
    run = desk.runs("fusion_conflict")[0]
    table = pd.read_csv(desk.artifact(run.info.run_id, "shares.csv"))
    assert list(table["cell"].unique()) == CELLS and len(table) == 15
    assert (table.groupby("cell")["value"].sum() - 1).abs().max() < 1e-9
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()
    assert set(table["n"]) == {500} and table["images"].max() <= 180  # a tenth of the digits are test images
    report = pd.read_csv(desk.artifact(run.info.run_id, "report_table.csv"))
    assert list(report.columns) == ["figure", "report", "ours", "low", "high", "n", "verdict", "why"]
    assert list(report["report"]) == [0.816, 0.112, 0.072] and set(report["verdict"]) == {"undecided"}  # no CIFAR-10
    assert json.loads(desk.artifact(run.info.run_id, "report_table.json").read_text())["columns"] == list(report)
    claims = pd.read_csv(desk.artifact(run.info.run_id, "claims.csv"))
    assert list(claims["claim"]) == ["F1", "F2", "F4"]
    for name in ("by_training.csv", "attribution.csv", "accuracies.csv", "shares.png", "factors.png"):
        assert desk.artifact(run.info.run_id, name).is_file()
    assert run.data.metrics["image_only.metadata"] == pytest.approx(table.iloc[9]["value"])
    assert "F1 " in done.stdout and "metadata only" in done.stdout


def test_a_control_follows_its_own_source(killed):
    desk, _, _ = killed
    table = pd.read_csv(desk.artifact(desk.runs("fusion_conflict")[0].info.run_id, "attribution.csv"))
    value = table.set_index(["cell", "pairs"])["value"]
    assert value["image only"].tolist() == [0, 0] and value["metadata only"].tolist() == [1, 1]


def test_the_page_begins_with_the_reports_figures(killed):
    desk, _, _ = killed
    page = desk.artifact(desk.runs("fusion_conflict")[0].info.run_id, "report.html").read_text()
    first = page.split('id="section-1"')[1].split("<h2")[0]
    assert "0.816" in first and "0.112" in first and "0.072" in first


def test_a_training_has_curves_and_its_contradictory_pairs(killed):
    desk, first, _ = killed
    run = desk.client.get_run(first)
    for name in ("loss", "training_accuracy", "share.metadata", "share.visual", "share.confused"):
        assert [entry.step for entry in desk.client.get_metric_history(first, name)] == [*range(6)]
    pairs = pd.read_parquet(desk.artifact(first, "pairs.parquet"))
    assert len(pairs) == 500 and (pairs["image_class"] != pairs["metadata_class"]).all()
    followed = (pairs["predicted"] == pairs["metadata_class"]).mean()
    assert run.data.metrics["share.metadata"] == pytest.approx(followed)
    others = [pd.read_parquet(desk.artifact(one.info.run_id, "pairs.parquet")) for one in desk.runs("fusion")]
    asked = ["sample_id", "image_class", "metadata_class"]
    assert all(other[asked].equals(pairs[asked]) for other in others)


def test_a_further_level_trains_only_what_is_not_there(killed):
    desk, _, _ = killed
    more = [*STUDY]
    more[more.index("1,0.7")] = "1,0.7,0.5"
    done = desk.type(*more)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(desk.runs("fusion")) == 6


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"consistent_shares": "1,1.5"},
            "consistent_shares=1,1.5 is no list of levels: 1.5 is not in the range 0<=x<=1",
        ),
        ({"metadata_noises": "0,x"}, "metadata_noises=0,x is no list of levels: 'x' is not a valid float"),
        ({"modality_dropouts": "1"}, "modality_dropouts=1 is no list of levels: 1.0 is not in the range 0<=x<1"),
        ({"embedding_noises": ""}, "embedding_noises= is no list of levels"),
        ({"metadata_scales": "0"}, "metadata_scales=0 is no list of levels: 0.0 is not in the range 0<x<=100"),
        ({"pretrained": "yes"}, "model 'convnet' has no pretrained weights"),
    ],
)
def test_lists_that_make_no_sense_are_refused_in_one_line(changed, said):
    check_fusion(ASKED)
    with pytest.raises(BadOption) as caught:
        check_fusion(ASKED | changed)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_each_cell_is_trained_with_each_seed():
    cells = cells_of(ASKED)
    names = [
        "plain",
        "consistent_share=0.9",
        "modality_dropout=0.5",
        "embedding_noise=1",
        "image only",
        "metadata only",
    ]
    assert [cell.name for cell in cells] == names
    variants = options_of(cells[1], ASKED)
    assert [one["training_seed"] for one in variants] == [3, 4]
    assert {(one["consistent_share"], one["modalities"]) for one in variants} == {(0.9, "both")}


def test_more_pairs_than_there_are_fail_in_one_line(desk):
    done = desk.type("fusion", "--subset", "200", "--epochs", "1", "--pairs", "100000")
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1 and "pairs=100000 is more than the " in errors[0], done.stderr
    assert [run.info.status for run in desk.runs()] == ["FAILED"]

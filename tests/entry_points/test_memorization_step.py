"""`memorization` on a few hundred digits: both readings, with and without augmentation; killed, it goes on."""

import json
import os
import signal

import numpy as np
import pandas as pd
import pytest
from desk import Desk
from test_processes import begin
from test_processes import wait_for as wait_for_process

from anomaly_mlflow.data.sources import load
from anomaly_mlflow.errors import AnomalyError, BadOption
from entry_points.conflicting_labels import conflicting
from entry_points.memorization_cells import cells_of, check_memorization, options_of

pytestmark = pytest.mark.filterwarnings("default")

EPOCHS = 40  # so many that a training lasts until the signal arrives
STUDY = ["memorization", "--subset", "200", "--epochs", str(EPOCHS), "--draws", "100", "--jobs", "1", "--seeds", "1"]
ASKED = {"dataset": "digits", "models": "convnet", "pair": None, "augmentation": None, "pretrained": "no",
         "training_seed": 3, "seeds": 2}  # fmt: skip


def second_training_is_at_work(desk):
    made = desk.runs("conflicting_labels")
    return len(made) == 2 and "anomaly.fingerprint" in made[0].data.tags


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A study that was killed after its first training, and typed again."""
    desk = Desk(tmp_path_factory.mktemp("memorization"))
    with begin(desk, *STUDY) as process:
        wait_for_process(lambda: second_training_is_at_work(desk), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    done = desk.type(*STUDY)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, desk.runs("memorization")[0].info.run_id, done


def test_a_share_that_hits_too_few_images_is_refused_before_any_training():
    digits = load("digits", subset=200)
    assert (conflicting(digits, 0.2, seed=0) != digits.labels).sum() == 40
    with pytest.raises(BadOption, match="hits too few of 200 images; 5 are needed"):
        conflicting(digits, 0.001, seed=0)


def test_a_killed_study_goes_on_with_the_next_training(killed):
    desk, whole, _ = killed
    made = desk.runs("conflicting_labels")
    assert len(made) == 4 and {run.info.status for run in desk.runs()} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in made} == {whole}
    told = [(run.data.params["two_classes"], run.data.params["augmentation"]) for run in made[::-1]]
    assert told == [("none", "auto"), ("none", "none"), ("3,5", "auto"), ("3,5", "none")]


def test_a_fifth_of_the_labels_conflict_and_the_true_class_is_never_drawn(killed):
    desk, _, _ = killed
    for run in desk.runs("conflicting_labels"):
        truth = pd.read_parquet(desk.artifact(run.info.run_id, "truth.parquet"))
        scores = pd.read_parquet(desk.artifact(run.info.run_id, "scores.parquet"))
        assert list(truth["sample_id"]) == list(scores["sample_id"])
        assert truth["conflicting"].sum() == round(0.2 * len(truth))
        assert np.array_equal(truth["true_label"] != scores["given_label"], truth["conflicting"])
        assert not set(scores.columns) & {"true_label", "conflicting"}
    two = desk.runs("conflicting_labels")[0]
    assert set(pd.read_parquet(desk.artifact(two.info.run_id, "scores.parquet"))["given_label"]) == {0, 1}


def test_each_training_logs_its_curves_and_the_study_their_means(killed):
    desk, whole, done = killed
    first = desk.oldest("conflicting_labels")[0].info.run_id
    memorized = desk.client.get_metric_history(first, "memorized")
    assert [entry.step for entry in memorized] == list(range(1, EPOCHS + 1))
    mean = desk.client.get_metric_history(whole, "convnet/all_classes/auto/memorized")
    assert [entry.value for entry in mean] == [entry.value for entry in memorized]
    points = pd.read_csv(desk.artifact(whole, "curves.csv"))
    assert len(points) == 4 * EPOCHS * 11 and points["value"].notna().all()
    beside = pd.read_csv(desk.artifact(whole, "report_table.csv"))
    assert list(beside.columns) == ["figure", "report", "ours", "low", "high", "n", "verdict", "why"]
    for name in ("report.html", "curves.png", "histograms.png", "windows.csv", "caught.csv", "windows.json"):
        assert desk.artifact(whole, name).is_file()
    training = json.loads(desk.artifact(first, "training.json").read_text())
    assert (training["schedule"], training["optimizer"], training["batch_size"]) == ("cosine", "sgd", 64)
    in_proportion = 0.2 * 0.5 * 64 / 256  # the conv net's own rate, of cosine, for its own batch
    assert training["learning_rate"] == in_proportion
    assert "augmentation holds memorization back" in done.stdout


def test_readings_and_augmentations_are_crossed_and_odd_ones_refused():
    cells = cells_of(ASKED)
    assert [(one.pair, one.augmentation) for one in cells] == [
        (None, None), (None, "none"), (("3", "5"), None), (("3", "5"), "none")
    ]  # fmt: skip
    assert [one["training_seed"] for one in options_of(cells[2], ASKED)] == [3, 4]
    assert options_of(cells[2], ASKED)[0]["two_classes"] == "3,5"
    assert len(cells_of(ASKED | {"augmentation": "none"})) == 2
    assert cells_of(ASKED | {"pair": "7, 1"})[-1].key["reading"] == "7 against 1"
    check_memorization(ASKED)
    for changed, said in (
        ({"pair": "3"}, "'3' does not name two classes"),
        ({"pair": "3,3"}, "'3,3' does not name two classes"),
        ({"pair": "cat,dog"}, "unknown class 'cat'; known: 0, 1"),
        ({"models": "resnet2"}, "unknown model 'resnet2'"),
        ({"pretrained": "yes"}, "model 'convnet' has no pretrained weights"),
    ):
        with pytest.raises(AnomalyError, match=said):
            check_memorization(ASKED | changed)

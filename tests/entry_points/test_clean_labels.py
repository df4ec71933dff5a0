"""`clean_labels` on a few digits: killed, it goes on; the table it writes is read back; what is wrong is told."""

import os
import signal

import numpy as np
import pandas as pd
import pytest
from desk import Desk
from test_processes import begin
from test_processes import wait_for as wait_for_process

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.errors import AnomalyError
from entry_points.clean_labels import check_cleaning
from entry_points.injecting import injecting
from entry_points.options import OPTIONS
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")

DATA = ["--subset", "300", "--baseline_epochs", "2", "--baseline_folds", "2"]
QUICK = [*DATA, "--model", "convnet", "--epochs", "10", "--batch_size", "32", "--validation_folds", "2"]
QUICK += ["--draws", "100", "--jobs", "1"]
NOISY = ["--inject", "yes", "--convention", "symmetric", "--convention_rate", "0.2"]
CLEAN = ["clean_labels", *QUICK, *NOISY, "--retrain_seeds", "1"]
NO_FLOOR = ["--repair_floor", "0"]


def second_retraining_is_at_work(desk):
    made = desk.runs("retrain")
    return len(made) >= 2 and "anomaly.fingerprint" in made[0].data.tags


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A job that was killed in its second retraining, and typed again."""
    desk = Desk(tmp_path_factory.mktemp("clean"))
    with begin(desk, *CLEAN, *NO_FLOOR) as process:
        wait_for_process(lambda: second_retraining_is_at_work(desk), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    done = desk.type(*CLEAN, *NO_FLOOR)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, desk.runs("clean_labels")[0].info.run_id, done


def test_a_killed_job_goes_on_with_the_next_retraining(killed):
    desk, whole, done = killed
    assert {run.info.status for run in desk.runs()} == {"FINISHED"}
    told = [run.data.params["variant"] for run in desk.runs("retrain")[::-1]]
    assert sorted(told) == ["certain", "cleaned", "given", "oracle", "random_removal"]
    assert len(desk.runs("clean_labels")) == len(desk.runs("repair_labels")) == 1
    for name in ("report.html", "repairs.parquet", "cleaned_labels.parquet", "gains.csv", "measures.csv"):
        assert desk.artifact(whole, name).is_file()
    assert "points of test accuracy" in done.stdout and "random_removal" in done.stdout


def test_every_label_has_its_line_and_only_the_repaired_ones_change(killed):
    desk, whole, _ = killed
    frame = pd.read_parquet(desk.artifact(whole, "repairs.parquet"))
    assert list(frame.columns) == [
        "sample_id", "given", "suggested", "confidence", "mechanisms", "type", "repaired", "reason", "set_aside"
    ]  # fmt: skip
    assert len(frame) == 300 and 0.05 < frame["repaired"].mean() <= 0.3
    assert (frame.loc[frame["repaired"], "mechanisms"].str.count(",") >= 1).all()
    labels = pd.read_parquet(desk.artifact(whole, "cleaned_labels.parquet"))
    after = np.where(frame["repaired"], frame["suggested"], frame["given"])
    assert np.array_equal(labels["label"], after) and np.array_equal(labels["sample_id"], frame["sample_id"])


def test_another_cap_repeats_neither_the_cleaners_evidence_nor_what_it_does_not_touch(killed):
    desk, _, _ = killed
    before = {name: len(desk.runs(name)) for name in ("train_noisy", "train_folds", "retrain")}
    done = desk.type(*CLEAN, *NO_FLOOR, "--repair_cap", "0.02")
    assert done.returncode == 0, done.stderr[-3000:]
    after = {name: len(desk.runs(name)) for name in before}
    assert after == before | {"retrain": before["retrain"] + 3}  # cleaned, certain and random_removal
    newest = desk.runs("clean_labels")[0].info.run_id
    frame = pd.read_parquet(desk.artifact(newest, "repairs.parquet"))
    assert frame["repaired"].sum() == 6 and (frame["reason"] == "beyond the cap").any()


def test_below_the_floor_all_labels_are_left_alone_and_nothing_is_trained_on_them(killed):
    desk, whole, _ = killed
    before = len(desk.runs("retrain"))
    done = desk.type(*CLEAN, "--repair_floor", "1")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "would have been changed: two mechanisms" in done.stdout and len(desk.runs("retrain")) == before
    frame, made = (
        pd.read_parquet(desk.artifact(run, "repairs.parquet"))
        for run in (desk.runs("clean_labels")[0].info.run_id, whole)
    )
    assert not frame[["repaired", "set_aside"]].any(axis=None)
    told = frame["reason"].str.startswith("too few labels are surely contradicted")
    assert made["repaired"].any() and np.array_equal(told, made["repaired"])
    assert np.array_equal(frame["suggested"], made["suggested"])


def test_the_cleaned_labels_are_read_back_as_labels_that_people_gave(killed):
    desk, whole, _ = killed
    table = desk.artifact(whole, "cleaned_labels.parquet")
    shares = [
        word for name in ("near_miss", "gross", "random_flip", "ood", "hard") for word in (f"--{name}_share", "0")
    ]
    done = desk.type("generate_noise", *DATA, *shares, "--labels", f"parquet:{table}#label")
    assert done.returncode == 0, done.stderr[-3000:]
    made = desk.runs("generate_noise")[0].info.run_id
    given = pd.read_parquet(desk.artifact(made, "samples/labels.parquet"))
    assert np.array_equal(given["given_label"], pd.read_parquet(table)["label"])


def asked(**changed):
    defaults = {name: one.type.convert(one.default, one, None) for name, one in OPTIONS.items()}
    return {name: defaults[name] for name in STEPS["clean_labels"].options} | changed


def test_nothing_is_made_wrong_unless_that_is_asked_for():
    as_they_are = injecting(asked())
    assert not any(as_they_are[f"{kind}_share"] for kind in ("near_miss", "gross", "random_flip", "ood", "hard"))
    typed = asked(inject="yes", near_miss_share=0.1)
    assert injecting(typed) == typed
    named = asked(noise_run="abc", convention="symmetric")
    assert injecting(named) == named
    by_people = injecting(asked(inject="yes", labels="parquet:a.parquet#worst", ood_share=0.1))
    assert (by_people["ood_share"], by_people["near_miss_share"], by_people["hard_share"]) == (0.1, 0.0, 0.0)
    check_cleaning(asked())
    for changed, said in (
        ({"near_miss_share": 0.1}, "near_miss_share=0.1 has no effect without inject=yes"),
        ({"convention": "symmetric"}, "convention=symmetric has no effect without inject=yes"),
        ({"convention_rate": 0.4}, "convention_rate=0.4 has no effect without inject=yes"),
        (
            {"cleaner_names": "neighbour_vote,small_loss"},
            "models that never saw the label, and these have embedding, training",
        ),
        ({"cleaner_names": "small_loss"}, "a repair needs two mechanisms, and these have training alone"),
        ({"cleaner_names": "fine"}, "these propose no labels"),
        ({"cleaner_names": "small_los"}, "unknown cleaner 'small_los'"),
        ({"cleaner_names": "conformal_fdr,small_loss"}, "conformal_fdr needs trusted, which no step makes"),
        ({"learner": "plane"}, "unknown learner 'plane'"),
        ({"pretrained": "yes"}, "no pretrained weights"),
    ):
        with pytest.raises(AnomalyError, match=said):
            check_cleaning(asked(**changed))

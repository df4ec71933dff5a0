"""`extract_features --recording`: what it takes, what it refuses, and that nothing is made upstream."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

import entry_points.all_steps  # noqa: F401
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recorder import Recorder
from entry_points.options import OPTIONS
from entry_points.provenance import step_fingerprint
from entry_points.recordings import by_itself, recording_digest
from entry_points.step import STEPS

pytestmark = pytest.mark.filterwarnings("default")


def record(folder, classes=3, seed=0):
    recorder = Recorder(folder)
    draws = torch.Generator().manual_seed(seed)
    for _ in range(3):
        recorder.record(np.arange(30), torch.randn(30, classes, generator=draws), np.arange(30) % 3)
    recorder.finish()
    return folder


def test_a_recording_stands_for_all_steps_before(desk):
    record(desk.folder / "mine")
    done = desk.type("extract_features", "--recording", "mine", "--signals", "mean_loss,entropy,late_log_odds")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 of 3 signals; the others miss logits\n"
    (run,) = desk.runs()
    table = pd.read_parquet(desk.artifact(run.info.run_id, "features.parquet"))
    assert list(table.columns) == ["sample_id", "dynamics.mean_loss", "dynamics.late_log_odds"]
    suggested = pd.read_parquet(desk.artifact(run.info.run_id, "suggestions.parquet"))
    assert (suggested["suggested_label"] != suggested["given_label"]).all()


def test_a_recording_of_many_classes_says_what_is_approximated(desk):
    record(desk.folder / "mine", classes=120)
    done = desk.type("extract_features", "--recording", "mine")
    assert done.returncode == 0, done.stderr
    assert "of 120 classes the largest logits were kept: late_log_odds is approximated" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--recording", "nowhere"], "recording=nowhere is no folder here, and no run that holds a recording"),
        (["--recording", "."], "does not hold epochs 0 to 0 without a gap"),
        (["--recording", "mine", "--signals", "entropy"], "a recording alone is not enough for entropy"),
        (["--recording", "mine", "--model", "convnet"], "model=convnet has no effect beside recording=mine"),
        (["--recording", "mine", "--noisy_run", "abc"], "noisy_run=abc has no effect beside recording=mine"),
    ],
)
def test_what_cannot_be_done_with_a_recording_is_said_in_one_line(desk, words, said):
    record(desk.folder / "mine")
    done = desk.type("extract_features", *words)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert said in line and "Traceback" not in done.stderr


def test_the_content_of_a_recording_is_part_of_the_fingerprint(tmp_path):
    folder, step = tmp_path / "mine", STEPS["extract_features"]
    options = {name: OPTIONS[name].type.convert(OPTIONS[name].default, None, None) for name in step.options}
    made = []
    for seed in (0, 1, 0):
        options["recording"] = str(record(folder, seed=seed))
        made.append(step_fingerprint(by_itself(step, options), options, {}))
        shutil.rmtree(folder)
    assert made[0] == made[2] != made[1]


def test_what_is_not_read_is_not_digested_and_what_is_read_through_a_link_is(tmp_path):
    folder, elsewhere = record(tmp_path / "mine"), tmp_path / "elsewhere"
    before = recording_digest(str(folder))
    (folder / "notes.parquet").write_bytes(b"not read")
    assert recording_digest(str(folder)) == before
    (folder / "epoch=0001").rename(elsewhere)
    (folder / "epoch=0001").symlink_to(elsewhere)
    assert recording_digest(str(folder)) == before
    shutil.copy(folder / "epoch=0002/part-0.parquet", elsewhere)
    assert recording_digest(str(folder)) != before


def test_files_without_an_end_are_not_waited_for(tmp_path):
    folder = record(tmp_path / "mine")
    os.mkfifo(folder / "x.parquet")
    recording_digest(str(folder))
    (folder / "epoch=0001/part-0.parquet").unlink()
    (folder / "epoch=0001/part-0.parquet").symlink_to("/dev/zero")
    with pytest.raises(BadData, match="without a gap"):
        recording_digest(str(folder))


def test_only_extract_features_takes_a_recording():
    assert [name for name, step in STEPS.items() if "recording" in step.options] == ["extract_features"]
    step = STEPS["extract_features"]
    assert by_itself(step, {"recording": None}) is step

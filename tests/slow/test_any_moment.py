"""SIGKILL at random moments of a command, and the same command again. `ANOMALY_MOMENTS=10` tries ten moments."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from desk import Desk

from anomaly_mlflow.training.epoch_files import read_recording

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

EPOCHS = 8
WORDS = ["train_noisy", "--subset", "300", "--model", "convnet", "--epochs", str(EPOCHS), "--device", "cpu"]
WORDS += ["--baseline_epochs", "2", "--baseline_folds", "2", "--jobs", "1"]
MOMENTS = int(os.environ.get("ANOMALY_MOMENTS", "2"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The command, left alone, and the seconds that it takes."""
    desk, began = Desk(tmp_path_factory.mktemp("whole")), time.monotonic()
    done = desk.type(*WORDS)
    assert done.returncode == 0, done.stderr[-3000:]
    return desk, time.monotonic() - began


@pytest.mark.parametrize("number", range(MOMENTS))
def test_after_sigkill_at_any_moment_the_same_command_ends_as_if_nothing_had_happened(whole, tmp_path, number):
    untouched, seconds = whole
    desk, moments = Desk(tmp_path), random.Random()
    killed = []
    while len(killed) < 2 and killed[-1:] != ["ended before"]:  # the second hits what the first left behind
        moment = moments.uniform(0, seconds)
        killed.append(kill_after(moment, desk))
        print(f"SIGKILL after {moment:.2f} s of {seconds:.2f}: {killed[-1]}")
    if killed[-1] == "killed":
        done = desk.type(*WORDS)
        assert done.returncode == 0, done.stderr[-3000:]
    assert {run.info.status for run in desk.runs()} <= {"FINISHED", "FAILED"}
    one, other = the_only_training(untouched), the_only_training(desk)
    assert history(desk, other) == history(untouched, one)
    for name in ("logits", "labels", "sample_id", "learning_rate"):
        first, second = (getattr(recording(*each), name) for each in ((untouched, one), (desk, other)))
        assert first.tobytes() == second.tobytes(), name
    assert weights(desk, other) == weights(untouched, one)
    assert not list((desk.folder / "state").glob("*")), "a finished run leaves nothing to take up"


def kill_after(seconds, desk):
    command = [sys.executable, "-m", "entry_points", *WORDS]
    process = subprocess.Popen(
        command, cwd=desk.folder, env=desk.environment(), start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        assert process.wait(seconds) == 0
        return "ended before"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        return "killed"


def the_only_training(desk):
    (run,) = desk.runs("train_noisy")
    assert run.info.status == "FINISHED"
    (version,) = desk.client.search_model_versions("name = 'noisy-digits-convnet'")
    assert version.run_id == run.info.run_id
    return run


def history(desk, run):
    """Steps and values of both curves; each epoch once."""
    curves = {}
    for key in ("loss", "test_accuracy"):
        entries = desk.client.get_metric_history(run.info.run_id, key)
        curves[key] = [(entry.step, entry.value) for entry in entries]
        assert [step for step, _ in curves[key]] == list(range(EPOCHS))
    return curves


def recording(desk, run):
    return read_recording(desk.artifact(run.info.run_id, "recording"))


def weights(desk, run):
    model = desk.client.get_logged_model(desk.client.get_run(run.info.run_id).data.tags["anomaly.model_id"])
    return Path(model.artifact_location, "artifacts", "model", "weights.safetensors").read_bytes()

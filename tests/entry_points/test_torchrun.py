"""Commands under torchrun: one run, one error line, one ending."""

import signal
import subprocess
import sys
import time
from functools import partial

import pandas as pd
import psutil
import pytest

pytestmark = pytest.mark.filterwarnings("default")

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
TINY = ["--subset", "300", "--baseline_epochs", "1"]


def torchrun(desk, *words):
    return subprocess.run(
        [*TORCHRUN, *words], cwd=desk.folder, env=desk.environment(), capture_output=True, text=True, timeout=600
    )


def errors(text):
    return [line for line in text.splitlines() if line.startswith("error: ")]


def processes_of(desk):
    """Everything that was started at this desk and still runs."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("ANOMALY_STATE") == desk.environment()["ANOMALY_STATE"]:
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def wait_for(condition, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.5)


def test_two_ranks_make_one_run_whose_recording_is_whole(desk):
    done = torchrun(desk, "entry_points.train_noisy", *TINY, "--model", "convnet", "--epochs", "3")
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = desk.runs("train_noisy")
    assert run.info.status == "FINISHED"
    assert run.data.tags["anomaly.ranks"] == "2"
    assert [each.info.status for each in desk.runs()] == ["FINISHED"] * 3
    for epoch in range(3):
        path = desk.artifact(run.info.run_id, f"recording/epoch={epoch:04d}/part-0.parquet")
        assert pd.read_parquet(path, partitioning=None)["sample_id"].nunique() == 300
    history = desk.client.get_metric_history(run.info.run_id, "test_accuracy")
    assert [entry.step for entry in history] == [0, 1, 2]
    assert desk.client.get_model_version_by_alias("noisy-digits-convnet", "champion").run_id == run.info.run_id
    assert done.stderr.count("train_noisy: http") == 1
    assert "note: " not in done.stderr


def test_a_step_that_trains_on_one_rank_says_so_and_ends(desk):
    done = torchrun(desk, "entry_points", "generate_noise", *TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [run.info.status for run in desk.runs()] == ["FINISHED"] * 2
    assert done.stderr.count("note: train_noisy alone trains on all 2 ranks; generate_noise on one") == 1


@pytest.mark.parametrize("words", [["--epochs", "abc"], ["--batch_size", "7"]])
def test_an_option_that_cannot_be_gives_one_error_line_and_fails(desk, words):
    done = torchrun(desk, "entry_points.train_noisy", *TINY, "--model", "convnet", *words)
    assert done.returncode != 0
    assert len(errors(done.stderr)) == 1
    assert "RUNNING" not in {run.info.status for run in desk.runs()}
    assert processes_of(desk) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_mid_training_ends_all_ranks_and_the_run_as_killed(desk, number):
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    command = [*TORCHRUN, "entry_points.train_noisy", *TINY, "--model", "convnet", "--epochs", "100000"]
    with open(desk.folder / "errors.log", "w") as log:
        process = subprocess.Popen(command, cwd=desk.folder, env=desk.environment(), stderr=log, preexec_fn=heed)
        try:
            wait_for(lambda: process.poll() is not None or list(desk.folder.rglob("recording/epoch=0001/*.parquet")))
            process.send_signal(number)
            assert process.wait(60) != 0
            wait_for(lambda: processes_of(desk) == [], 10)
        finally:
            for each in processes_of(desk):
                each.kill()
    assert [run.info.status for run in desk.runs("train_noisy")] == ["KILLED"]
    assert errors((desk.folder / "errors.log").read_text()) == []

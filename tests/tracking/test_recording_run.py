"""A recording of somebody's own loop in a run: opened, filled and closed by the three lines."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from desk import Desk

from anomaly_mlflow.tracking.lease import take
from anomaly_mlflow.tracking.recording_run import to_run
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.unfinished import close_dead_runs
from anomaly_mlflow.training.epoch_files import read_recording
from anomaly_mlflow.training.recorder import Recorder

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A store of its own, for this process too."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def record(recorder, epochs=2):
    logits = torch.randn(epochs, 9, 3)
    for epoch in logits:
        recorder.record(np.arange(9), epoch, np.arange(9) % 3)
    return logits


def test_a_recording_becomes_a_finished_run_of_the_experiment(desk, capsys):
    target = to_run("my experiment")
    recorder = Recorder(target)
    logits = record(recorder)
    recorder.finish()
    (run,) = desk.runs("recording")
    assert run.info.status == "FINISHED"
    assert desk.client.get_experiment(run.info.experiment_id).name == "my experiment"
    again = read_recording(desk.artifact(run.info.run_id, "recording"))
    assert np.array_equal(again.logits, logits.half().numpy())
    assert f"runs/{run.info.run_id}" in capsys.readouterr().err
    assert not target.folder.exists()


def test_of_two_processes_that_make_the_same_experiment_at_once_both_get_a_run(desk, monkeypatch):
    other = to_run("ours")
    looked_up = mlflow.MlflowClient.get_experiment_by_name
    answers = iter([lambda client, name: None])  # it was not there yet when this process looked
    look = lambda client, name: next(answers, looked_up)(client, name)  # noqa: E731
    monkeypatch.setattr(mlflow.MlflowClient, "get_experiment_by_name", look)
    for target in (to_run("ours"), other):
        record(recorder := Recorder(target))
        recorder.finish()
    assert len({run.info.experiment_id for run in desk.runs("recording")}) == 1 and len(desk.runs("recording")) == 2


def test_a_recording_joins_the_run_that_is_active_and_leaves_it_open(desk):
    with mlflow.start_run() as mine:
        recorder = Recorder(to_run())
        record(recorder)
        recorder.finish()
        assert desk.client.get_run(mine.info.run_id).info.status == "RUNNING"
    assert len(desk.runs()) == 1
    assert read_recording(desk.artifact(mine.info.run_id, "recording")).epochs == 2


DIES = """
import os, time
import numpy as np, requests, torch
from anomaly_mlflow.tracking import recording_run
from anomaly_mlflow.tracking.recording_run import to_run
from anomaly_mlflow.training.recorder import Recorder
recording_run.LAST_WAIT = 5
target = to_run()
send = target._outbox._client.log_artifact
{server}
recorder = Recorder(target)
for epoch in range(4):
    recorder.record(np.arange(3), torch.randn(3, 2), np.zeros(3, int))
{end}
"""
SLOW = "target._outbox._client.log_artifact = lambda *words: (time.sleep(0.3), send(*words))"
AWAY = """
def refuse(*words):
    raise requests.ConnectionError("no route")
target._outbox._client.log_artifact = refuse
"""


def die(desk, server="", end="raise SystemExit(3)", **variables):
    code = DIES.format(server=server, end=end)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=desk.folder, env=desk.environment(**variables), capture_output=True, text=True
    )
    (run,) = desk.runs("recording")
    return done, run


def test_a_loop_that_dies_leaves_a_failed_run_that_holds_its_finished_epochs(desk):
    done, run = die(desk, SLOW)
    assert done.returncode == 3, done.stderr[-2000:]
    assert run.info.status == "FAILED"
    assert read_recording(desk.artifact(run.info.run_id, "recording")).epochs == 3
    assert "did not reach their run" not in done.stderr


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "recorder.finish()"], ids=["no finish()", "finish()"])
def test_what_does_not_reach_its_run_is_told_with_what_to_do_about_it(desk, end, monkeypatch):
    monkeypatch.setenv("ANOMALY_PATIENCE", "0.5")
    done, run = die(desk, AWAY, end)
    assert done.returncode and run.info.status == "FAILED"
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("recording: ")]
    assert f"{3 + (end != 'raise SystemExit(3)')} epochs did not reach their run" in told
    assert "type the same command again" not in done.stderr
    folder = told.rpartition("extract_features --recording ")[2]
    assert read_recording(Path(folder)).epochs >= 3
    shutil.rmtree(Path(folder).parent)


@pytest.mark.parametrize("server", ["", AWAY], ids=["sent", "away"])
def test_with_json_every_line_of_ours_in_somebody_elses_loop_is_an_object_of_its_run(desk, server):
    own = "import logging; logging.warning('a line of the program itself')\n"
    done, run = die(
        desk, own + server, "recorder.finish()", ANOMALY_LOG="json", ANOMALY_PATIENCE="0.5", TMPDIR=str(desk.folder)
    )
    objects = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {(line["step"], line["run_id"]) for line in objects} == {("recording", run.info.run_id)}
    said = objects[-1]["message"]
    assert "did not reach their run" in said if server else said.startswith("http") and run.info.run_id in said
    assert [line["level"] for line in objects] == (["WARNING", "ERROR"] if server else ["INFO"])
    assert not [line for line in done.stderr.splitlines() if line.startswith(("recording: ", "waiting for"))]
    assert "WARNING:root:a line of the program itself" in done.stderr


def test_a_run_whose_process_was_killed_is_closed_by_a_later_command(desk):
    _, run = die(desk, end="os.kill(os.getpid(), 9)")
    assert run.info.status == "RUNNING" and float(run.data.tags["anomaly.heartbeat"])
    close_dead_runs(watch=False)
    assert Run(run.info.run_id).status == "FAILED"


def test_a_run_that_was_thought_dead_does_not_end_the_training(desk, monkeypatch):
    monkeypatch.setattr(os, "_exit", lambda code: pytest.fail("the process was ended"))
    recorder = Recorder(to_run())
    record(recorder)
    (run,) = desk.runs("recording")
    assert take(run)
    Run(run.info.run_id).tag("anomaly.error", "its process died")
    recorder.finish()
    (run,) = desk.runs("recording")
    assert run.info.status == "FINISHED" and "anomaly.error" not in run.data.tags

"""A recording of somebody's own loop in a run: opened, filled and closed by the three lines."""

import subprocess
import sys

import mlflow
import numpy as np
import pytest
import torch
from desk import Desk

from anomaly_mlflow.tracking.recording_run import to_run
from anomaly_mlflow.training.epoch_files import read_recording
from anomaly_mlflow.training.recorder import Recorder

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A store of its own, for this process too."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    yield Desk(tmp_path)
    mlflow.set_tracking_uri(before)


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


def test_a_recording_joins_the_run_that_is_active_and_leaves_it_open(desk):
    with mlflow.start_run() as mine:
        recorder = Recorder(to_run())
        record(recorder)
        recorder.finish()
        assert desk.client.get_run(mine.info.run_id).info.status == "RUNNING"
    assert len(desk.runs()) == 1
    assert read_recording(desk.artifact(mine.info.run_id, "recording")).epochs == 2


DIES = """
import numpy as np, torch
from anomaly_mlflow.tracking.recording_run import to_run
from anomaly_mlflow.training.recorder import Recorder
recorder = Recorder(to_run())
for epoch in range(2):
    recorder.record(np.arange(3), torch.randn(3, 2), np.zeros(3, int))
raise SystemExit(3)
"""


def test_a_loop_that_dies_leaves_a_failed_run(desk):
    done = subprocess.run([sys.executable, "-c", DIES], cwd=desk.folder, env=desk.environment(), capture_output=True)
    assert done.returncode == 3, done.stderr[-2000:]
    (run,) = desk.runs("recording")
    assert run.info.status == "FAILED"

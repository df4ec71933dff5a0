"""A training whose tracking server is killed under it."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pandas as pd
import pytest
from real_server import RealServer

pytestmark = pytest.mark.filterwarnings("default")

EPOCHS = 40
TRAINING = ["--subset", "300", "--model", "convnet", "--epochs", str(EPOCHS), "--baseline_epochs", "1"]


@pytest.fixture
def server(desk):
    real = RealServer(desk.folder)
    real.start()
    yield real
    real.kill()


@contextmanager
def training(desk, server):
    """train_noisy in a process of its own, which does not outlive the test."""
    command = [sys.executable, "-m", "entry_points", "train_noisy", *TRAINING]
    with open(desk.folder / "errors.log", "w") as log:
        environment = desk.environment(MLFLOW_TRACKING_URI=server.address)
        process = subprocess.Popen(command, cwd=desk.folder, env=environment, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(30)


def wait_for(condition, process, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"the process ended early with {process.returncode}"
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.1)


def recorded(desk):
    """Names of the epochs that have arrived, in order."""
    return sorted(path.name for path in desk.folder.glob("store/*/*/artifacts/recording/*"))


def assert_each_epoch_is_there_once(desk):
    (run,) = desk.runs("train_noisy")
    assert run.info.status == "FINISHED"
    for key in ("loss", "test_accuracy"):
        assert [entry.step for entry in desk.client.get_metric_history(run.info.run_id, key)] == [*range(EPOCHS)]
    files = [path for path in desk.folder.glob("store/*/*/artifacts/recording/**/*.parquet")]
    assert len(files) == EPOCHS
    assert all(len(pd.read_parquet(path, partitioning=None)) == 300 for path in files)


def test_a_server_that_is_killed_in_mid_training_and_comes_back_receives_all(desk, server):
    with training(desk, server) as process:
        wait_for(lambda: len(recorded(desk)) >= 2, process)
        server.kill()
        assert len(recorded(desk)) < EPOCHS
        time.sleep(3)
        server.start()
        assert process.wait(240) == 0, (desk.folder / "errors.log").read_text()[-2000:]
    assert_each_epoch_is_there_once(desk)


@pytest.mark.skip(reason="until train_noisy sends through the outbox")
def test_a_server_that_comes_back_only_after_the_training_receives_all(desk, server):
    with training(desk, server) as process:
        wait_for(lambda: len(recorded(desk)) >= 2, process)
        server.kill()
        wait_for(lambda: f"waiting for {server.address}" in (desk.folder / "errors.log").read_text(), process)
        assert len(recorded(desk)) < EPOCHS
        server.start()
        assert process.wait(240) == 0, (desk.folder / "errors.log").read_text()[-2000:]
    assert_each_epoch_is_there_once(desk)
    said = (desk.folder / "errors.log").read_text()
    assert said.count("does not answer") == said.count("waiting for") == 1
    assert "Retrying" not in said


def test_a_training_that_is_asked_to_end_while_the_server_is_away_ends_at_once(desk, server):
    with training(desk, server) as process:
        wait_for(lambda: len(recorded(desk)) >= 2, process)
        server.kill()
        wait_for(lambda: "does not answer" in (desk.folder / "errors.log").read_text(), process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143

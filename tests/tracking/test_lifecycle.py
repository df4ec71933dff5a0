import signal
import subprocess
import sys

import mlflow
import pytest

from anomaly_mlflow.errors import BadData, RunNotFound
from anomaly_mlflow.tracking.lease import Lease
from anomaly_mlflow.tracking.lifecycle import Terminated, fail_waiting_run, find_finished, start
from anomaly_mlflow.tracking.run import Run, open_run

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)


@pytest.mark.parametrize(
    ("raised", "status"),
    [(None, "FINISHED"), (BadData("bad"), "FAILED"), (ZeroDivisionError("x"), "FAILED"),
     (KeyboardInterrupt(), "KILLED"), (Terminated(), "KILLED")],
)  # fmt: skip
def test_a_run_ends_as_its_work_ended(raised, status):
    try:
        with start("work", {}) as run:
            if raised:
                raise raised
    except BaseException as caught:
        assert caught is raised
    assert Run(run.id).status == status
    assert mlflow.active_run() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_while_a_run_is_being_closed_leaves_no_half_closed_run(number, monkeypatch):
    release = Lease.release
    monkeypatch.setattr(Lease, "release", lambda lease: (signal.raise_signal(number), release(lease)))
    with pytest.raises(KeyboardInterrupt), start("work", {}) as run:
        raise KeyboardInterrupt
    assert Run(run.id).status == "KILLED"
    assert signal.getsignal(number) is not signal.SIG_IGN


def test_mlflow_itself_does_not_call_a_run_finished_that_nobody_could_close(tmp_path):
    program = """
import os
from anomaly_mlflow.tracking import lifecycle
lifecycle.mlflow.end_run = lambda status: (_ for _ in ()).throw(SystemExit(3))
with lifecycle.start("work", {}) as run:
    print(run.id)
    raise KeyboardInterrupt
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 3
    assert Run(done.stdout.split()[-1]).status == "RUNNING"


def test_the_reason_of_a_failure_is_a_tag():
    with pytest.raises(BadData), start("work", {}) as run:
        raise BadData("the bridge is down")
    assert run.tags["anomaly.error"] == "the bridge is down"


def test_children_still_running_are_closed_with_their_parent():
    client = mlflow.MlflowClient()
    with pytest.raises(BadData), start("work", {}) as run:
        child = client.create_run(run.experiment_id, tags={"mlflow.parentRunId": run.id})
        raise BadData("x")
    assert client.get_run(child.info.run_id).info.status == "KILLED"


def test_the_run_that_mlflow_run_opened_is_joined_and_its_parameters_stay(monkeypatch):
    client = mlflow.MlflowClient()
    waiting = client.create_run("0")
    client.log_param(waiting.info.run_id, "seed", "0")
    monkeypatch.setenv("MLFLOW_RUN_ID", waiting.info.run_id)
    with start("work", {}) as run:
        run.log_params({"seed": 0.0, "model": "vit"})
    assert run.id == waiting.info.run_id
    assert client.get_run(run.id).data.params == {"seed": "0", "model": "vit"}


def test_a_run_that_could_not_even_start_is_marked_failed(monkeypatch):
    waiting = mlflow.MlflowClient().create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", waiting.info.run_id)
    fail_waiting_run()
    assert Run(waiting.info.run_id).status == "FAILED"


def test_the_newest_finished_run_of_the_same_fingerprint_is_found_and_no_other():
    ids = []
    for fingerprint, fails in (("a", False), ("a", False), ("a", True), ("b", False)):
        try:
            with start("work", {"anomaly.fingerprint": fingerprint}) as run:
                ids.append(run.id)
                if fails:
                    raise BadData("x")
        except BadData:
            pass
    assert find_finished("work", "a", "0") == ids[1]
    assert find_finished("work", "c", "0") is None
    assert find_finished("play", "a", "0") is None


def test_a_finished_run_that_somebody_planted_in_another_experiment_is_not_found():
    client = mlflow.MlflowClient()
    theirs = client.create_experiment("theirs")
    planted = client.create_run(theirs, tags={"anomaly.step": "work", "anomaly.fingerprint": "a"}).info.run_id
    client.set_terminated(planted, "FINISHED")
    assert find_finished("work", "a", "0") is None
    assert find_finished("work", "a", theirs) == planted


def test_only_a_finished_run_of_the_right_step_can_be_opened():
    with start("work", {}) as run, pytest.raises(RunNotFound, match="is RUNNING"):
        open_run(run.id, "work")
    assert open_run(run.id, "work").id == run.id
    with pytest.raises(RunNotFound, match="is a work run; a play run is needed"):
        open_run(run.id, "play")
    with pytest.raises(RunNotFound, match="no artifact 'x'"):
        run.path("x")

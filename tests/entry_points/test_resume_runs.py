"""A command that died is typed again: the same run goes on, and no run of a dead process stays RUNNING."""

import os
import signal
import subprocess
import sys
import time

import pytest
from test_processes import begin, project_run
from test_processes import wait_for as wait_for_process

pytestmark = pytest.mark.filterwarnings("default")

TINY = ["--subset", "300", "--model", "convnet", "--baseline_epochs", "1"]
LONG = [*TINY, "--epochs", "60"]
STEPS_MADE = {"train_baseline", "generate_noise", "train_noisy"}


def kill_in_training(desk, *words, epochs):
    """Type a command; SIGKILL once so many epochs are recorded."""
    with begin(desk, *words) as process:
        wait_for_process(lambda: len(list(desk.folder.rglob("recording/epoch=*"))) >= epochs, process)
        process.kill()
        process.wait(30)


def only_run(desk, step):
    (run,) = desk.runs(step)
    return run


def test_after_sigkill_the_same_command_continues_the_same_run_however_it_is_typed(desk):
    kill_in_training(desk, "train_noisy", *LONG, epochs=2)
    run_id = only_run(desk, "train_noisy").info.run_id
    kill_in_training(desk, "train_noisy", *LONG, epochs=4)
    assert only_run(desk, "train_noisy").info.status == "RUNNING"
    kill_in_training(desk, "train_noisy", *LONG, "--resume", run_id, epochs=6)
    options = dict(zip([word[2:] for word in LONG[::2]], LONG[1::2], strict=True))
    done = project_run(desk, "-e", "train_noisy", "--env-manager", "local", **options)
    assert done.returncode == 0, done.stderr[-3000:]
    wait_for_deletion(desk, left=3)  # the run that `mlflow run` had opened is deleted after it
    run = only_run(desk, "train_noisy")
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED")
    assert {each.data.tags["anomaly.step"] for each in desk.runs()} == STEPS_MADE
    steps = [entry.step for entry in desk.client.get_metric_history(run_id, "loss")]
    assert sorted(steps) == list(range(60))
    done = desk.type("train_noisy", *LONG, "--resume", run_id)
    assert done.returncode == 1 and f"run {run_id} is finished; there is nothing to resume" in done.stderr


def test_a_named_run_that_cannot_be_resumed_is_refused_in_one_line(desk):
    with begin(desk, "train_noisy", *TINY, "--epochs", "100000") as process:
        wait_for_process(lambda: list(desk.folder.rglob("recording/epoch=0000/*")), process)
        run_id = only_run(desk, "train_noisy").info.run_id
        assert_refused(desk, f"run {run_id} is alive on ", "train_noisy", *TINY, "--epochs", "100000", resume=run_id)
        process.kill()
        process.wait(30)
    assert_refused(desk, "epochs=100000, not 3; resume=none", "train_noisy", *TINY, "--epochs", "3", resume=run_id)
    assert_refused(desk, "is a train_noisy run; only a generate_noise run", "generate_noise", resume=run_id)
    assert_refused(desk, "there is no run 'nothing'", "train_noisy", resume="nothing")
    child = only_run(desk, "generate_noise").info.run_id
    desk.client.set_terminated(child, "KILLED")
    assert_refused(desk, f"was made for run {run_id}; resume that one", "generate_noise", resume=child)
    desk.client.delete_run(run_id)
    assert_refused(desk, f"run {run_id} was deleted", "train_noisy", *TINY, "--epochs", "100000", resume=run_id)
    assert len(desk.runs()) == 2


def assert_refused(desk, line, *words, resume):
    done = desk.type(*words, "--resume", resume)
    errors = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert (done.returncode, len(errors)) == (1, 1), done.stderr[-2000:]
    assert line in errors[0]


def test_resume_none_leaves_the_dead_run_closed_and_starts_a_new_one(desk):
    kill_in_training(desk, "train_noisy", *LONG, epochs=1)
    first = only_run(desk, "train_noisy").info.run_id
    assert desk.type("train_noisy", *LONG, "--resume", "none").returncode == 0
    assert [run.info.status for run in desk.runs("train_noisy")] == ["FINISHED", "FAILED"]
    assert desk.client.get_run(first).data.tags["anomaly.error"].startswith("its process died on ")
    # A newer run of the command has finished: nothing is left to continue.
    assert desk.type("train_noisy", *LONG).returncode == 0
    assert [run.info.status for run in desk.runs("train_noisy")] == ["FINISHED", "FINISHED", "FAILED"]


def test_a_run_that_was_begun_with_other_runs_upstream_is_not_continued(desk):
    kill_in_training(desk, "train_noisy", *LONG, epochs=1)
    run_id = only_run(desk, "train_noisy").info.run_id
    desk.client.set_tag(run_id, "anomaly.fingerprint", "another")
    done = desk.type("train_noisy", *LONG)
    assert done.returncode == 1
    assert f"run {run_id} was begun with other runs upstream; resume=none starts a new one" in done.stderr


def test_a_study_that_died_is_closed_by_another_command_and_continued_by_its_own(desk):
    words = ["judge", *TINY, "--epochs", "20", "--folds", "2", "--seeds", "2", "--draws", "100", "--jobs", "2"]
    with begin(desk, *words) as process:
        wait_for_process(lambda: len(desk.runs("train_noisy")) == 2, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    open_runs = {run.info.run_id for run in desk.runs() if run.info.status == "RUNNING"}
    assert desk.runs("judge")[0].info.run_id in open_runs and len(open_runs) >= 3
    assert desk.type("generate_noise", "--subset", "400", "--baseline_epochs", "1").returncode == 0
    assert {desk.client.get_run(run_id).info.status for run_id in open_runs} == {"FAILED"}
    done = desk.type(*words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {desk.client.get_run(run_id).info.status for run_id in open_runs} == {"FINISHED"}
    parent = desk.runs("judge")[0].info.run_id
    assert len(desk.runs("judge")) == 1 and len(desk.runs("train_noisy")) == 2
    assert {run.data.tags["mlflow.parentRunId"] for run in desk.runs("train_noisy")} == {parent}


DIES_EARLY = """
import os, runpy, sys
import entry_points.resolve
entry_points.resolve._note = lambda *_: os.kill(os.getpid(), 9)
sys.argv = ["entry_points", *sys.argv[1:]]
runpy.run_module("entry_points", run_name="__main__")
"""


def test_a_run_upstream_that_died_before_it_wrote_anything_is_continued(desk):
    words = ["generate_noise", "--subset", "300", "--baseline_epochs", "1"]
    command = [sys.executable, "-c", DIES_EARLY, *words]
    died = subprocess.run(command, cwd=desk.folder, env=desk.environment(), capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr[-2000:]
    run_id = only_run(desk, "train_baseline").info.run_id
    done = desk.type(*words)
    assert done.returncode == 0, done.stderr[-3000:]
    run = only_run(desk, "train_baseline")
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED")


def wait_for_deletion(desk, left):
    end = time.monotonic() + 120
    while len(desk.runs()) != left:
        assert time.monotonic() < end, [run.data.tags for run in desk.runs()]
        time.sleep(0.5)

"""Who works on a run, who is dead, and who may take over: with real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pandas as pd
import psutil
import pytest
from stores import STORES, wait_for

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking import lease as leases
from anomaly_mlflow.tracking import owner, waiting_run
from anomaly_mlflow.tracking.lease import HEARTBEAT, OWNER, free, take
from anomaly_mlflow.tracking.lifecycle import start
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.unfinished import close_dead_runs, find_unfinished, take_run, take_unfinished

pytestmark = pytest.mark.filterwarnings("default")

PEER = Path(__file__).with_name("peer.py")
SECONDS = 8


@pytest.fixture(params=["sqlite"])
def store(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(leases, "LEASE", SECONDS)
    monkeypatch.setenv("ANOMALY_LEASE", str(SECONDS))
    monkeypatch.setenv("PYTHONPATH", str(PEER.parents[2]))
    with STORES[request.param](tmp_path) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield mlflow.MlflowClient()


@contextmanager
def peer(*words):
    process = subprocess.Popen(
        [sys.executable, PEER, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(30)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def died(*words):
    """The id of a run whose process was killed."""
    with peer("hold", *words) as (_, run_id):
        return run_id


def status(run_id):
    return Run(run_id).status


def test_a_run_says_at_its_birth_which_process_holds_it(store):
    with start("work", {}) as run:
        born = json.loads(run.tags[OWNER])
        assert (born["process"], run.tags["anomaly.step"]) == (os.getpid(), "work")
        assert float(run.tags[HEARTBEAT]) > 0


def test_the_heartbeat_is_renewed_while_the_work_goes_on_and_not_after(store):
    with start("work", {}) as run:
        first = run.tags[HEARTBEAT]
        wait_for(lambda: run.tags[HEARTBEAT] != first)
    assert "heartbeat" not in {thread.name for thread in leases.threading.enumerate()}


def test_a_run_whose_process_was_killed_is_closed_at_once(store):
    run_id = died()
    assert status(run_id) == "RUNNING"
    close_dead_runs(watch=False)
    assert status(run_id) == "FAILED"
    assert Run(run_id).tags["anomaly.error"].startswith("its process died on ")


def test_whose_process_cannot_be_seen_is_not_called_dead(monkeypatch):
    def hidden(number):
        raise psutil.NoSuchProcess(number)

    def refused(number, signal):
        raise PermissionError

    me = owner.this_process()
    assert owner.lives(me) is True
    assert owner.lives({**me, "started": "1"}) is False
    assert [owner.lives({**me, "process": odd}) for odd in ("1", -5, None)] == [None] * 3
    assert owner.lives({**me, "process": 10**30}) is False
    assert [owner.lives({**me, "host": "elsewhere"}), owner.lives({})] == [None, None]
    monkeypatch.setattr(owner.psutil, "Process", hidden)
    monkeypatch.setattr(owner.os, "kill", refused)
    assert owner.lives(me) is None


def test_a_process_that_lives_here_keeps_its_run_however_old_its_heartbeat_is(store):
    with peer("hold") as (_, run_id):
        store.set_tag(run_id, HEARTBEAT, "0")
        close_dead_runs(watch=False)
        assert status(run_id) == "RUNNING"


@pytest.mark.parametrize("clock", [-3600, 0, 3600])
def test_a_living_peer_elsewhere_is_never_closed_whatever_its_clock_says(store, clock):
    with peer("hold", clock) as (_, run_id):
        close_dead_runs(watch=True)
        assert status(run_id) == "RUNNING"
        with pytest.raises(BadOption, match=f"run {run_id} is alive on elsewhere"):
            take_run(run_id)


@pytest.mark.parametrize("clock", [-3600, 3600])
def test_a_dead_peer_elsewhere_is_closed_after_its_lease_and_only_when_watched(store, clock):
    run_id = died(clock)
    close_dead_runs(watch=False)
    assert status(run_id) == "RUNNING"
    close_dead_runs(watch=True)
    assert status(run_id) == "FAILED"


def test_a_peer_elsewhere_whose_heartbeat_is_fresh_is_not_even_watched(store, monkeypatch):
    monkeypatch.setattr(leases, "time", SimpleNamespace(time=time.time, sleep=pytest.fail))
    run_id = died("0.001")
    close_dead_runs(watch=True)
    assert status(run_id) == "RUNNING"


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_of_two_takers_exactly_one_wins(store, tmp_path):
    runs = [store.create_run("0").info.run_id for _ in range(25)]
    go = tmp_path / "go"
    with peer("take", go, *runs) as (one, _), peer("take", go, *runs) as (other, _):
        go.touch()
        taken = [one.communicate(timeout=120)[0].split(), other.communicate(timeout=120)[0].split()]
    assert sorted(taken[0] + taken[1]) == sorted(runs)


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_a_request_that_is_sent_twice_is_no_second_taker(store):
    run_id = store.create_run("0").info.run_id
    store.log_param(run_id, "takeover.1", "me")
    store.log_param(run_id, "takeover.1", "me")
    assert take(store.get_run(run_id)) is not None


def test_a_taker_on_its_way_is_not_overtaken_until_it_dies(store, tmp_path):
    run_id = died()
    close_dead_runs(watch=False)
    store.set_tag(run_id, "anomaly.request", "x")
    go = tmp_path / "go"
    go.touch()
    taken = take(store.get_run(run_id))
    assert take_unfinished("work", "anomaly.request", "x") is None
    with pytest.raises(BadOption, match="is alive on"):
        take_run(run_id)
    taken.settle({})
    with peer("take", go, run_id) as (process, _):
        assert process.stdout.readline().split() == [run_id]
    assert status(run_id) == "FAILED"
    assert take_unfinished("work", "anomaly.request", "x").run_id == run_id


def test_a_stopped_process_that_wakes_after_its_run_was_taken_ends_and_leaves_the_run_alone(store):
    with peer("hold") as (process, run_id):
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        store.set_tag(run_id, HEARTBEAT, "0")
        with start("work", {}, take_up=take_run(run_id)) as run:
            assert run.id == run_id and run.resumed
            process.send_signal(signal.SIGCONT)
            assert process.wait(60) == 1
            assert f"run {run_id} was taken over by " in process.stderr.read()
            assert run.status == "RUNNING"
            assert json.loads(run.tags[OWNER])["process"] == os.getpid()
    assert status(run_id) == "FINISHED"


def test_what_a_taker_says_of_itself_cannot_command_the_terminal(store, monkeypatch, caplog):
    run_id = store.create_run("0").info.run_id
    claim = {"host": "\x1b]0;owned\x07\x1b[2Jhello\nerror: fake", "process": "1" * 10**3}
    store.log_param(run_id, "takeover.1", json.dumps(claim))
    monkeypatch.setattr(leases.os, "_exit", lambda code: None)
    lease = leases.Lease(run_id)
    lease.keep()
    lease.release()
    said = caplog.records[-1].getMessage()
    assert f"run {run_id} was taken over by ]0;owned[2Jhelloerror: fake" in said
    assert said.isprintable() and len(said) < 400


def test_a_process_that_wakes_just_to_finish_does_not_set_the_status(store):
    with peer("hold") as (process, run_id):
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        process.stdin.close()  # its work is over once it wakes
        store.set_tag(run_id, HEARTBEAT, "0")
        with start("work", {}, take_up=take_run(run_id)) as run:
            process.send_signal(signal.SIGCONT)
            assert process.wait(60) == 1
            assert run.status == "RUNNING"


def test_runs_of_others_and_of_earlier_versions_are_left_alone(store):
    foreign = store.create_run("0").info.run_id
    old = store.create_run("0", tags={"anomaly.step": "work"}).info.run_id
    close_dead_runs(watch=True)
    assert {status(foreign), status(old)} == {"RUNNING"}
    with pytest.raises(BadOption, match="does not say in which process"):
        find_unfinished(old, "work")
    with pytest.raises(BadOption, match="is a foreign run"):
        find_unfinished(foreign, "work")


ODD_NUMBERS = ("007", "٣", "-1", "0", "9" * 230, "x")
ODD_OWNERS = ('{"takeovers": 1' + "0" * 400 + "}", '{"takeovers": "x"}', '{"takeovers": -1}', "[1]")


def test_what_others_write_into_their_runs_stops_no_command_of_ours(store, monkeypatch):
    gone = json.dumps({**owner.this_process(), "started": "1"})
    dead, unreadable = (store.create_run("0", tags={OWNER: gone}).info.run_id for _ in range(2))
    for number in ODD_NUMBERS:
        store.log_param(store.create_run("0", tags={OWNER: gone}).info.run_id, f"takeover.{number}", "{}")
    for tag in ODD_OWNERS:
        store.log_param(store.create_run("0", tags={OWNER: tag}).info.run_id, "takeover.0", "{}")
    assert len(free(store.search_runs(["0"]), watch=False)) > 2
    judge = leases.holder
    monkeypatch.setattr(leases, "holder", lambda run: judge(run) if run.info.run_id != unreadable else 1 / 0)
    close_dead_runs(watch=False)
    assert (status(dead), status(unreadable)) == ("FAILED", "RUNNING")


def test_a_number_that_is_no_takeover_does_not_stop_the_heartbeat(store):
    with start("work", {}) as run:
        store.log_param(run.id, "takeover.01", "{}")
        first = run.tags[HEARTBEAT]
        wait_for(lambda: run.tags[HEARTBEAT] != first)


def test_the_newest_unfinished_run_is_taken_unless_a_newer_one_finished(store):
    def made(raised=None):
        try:
            with start("work", {"key": "a"}) as run:
                if raised:
                    raise raised
        except (KeyboardInterrupt, ZeroDivisionError):
            pass
        return run.id

    made(KeyboardInterrupt())
    newest = made(ZeroDivisionError())
    lease = take_unfinished("work", "key", "a")
    assert lease.run_id == newest
    with start("work", {"key": "a"}, take_up=lease) as run:
        assert "anomaly.error" not in run.tags
    assert status(newest) == "FINISHED"
    assert take_unfinished("work", "key", "a") is None
    assert take_unfinished("play", "key", "a") is None


def test_an_unfinished_run_that_somebody_planted_in_another_experiment_is_not_taken_up(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")
    assert take_unfinished("work", "key", "a") is None  # not made yet
    theirs = store.create_experiment("theirs")
    with pytest.raises(KeyboardInterrupt), start("work", {"key": "a"}) as run:
        raise KeyboardInterrupt
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "Default")
    assert take_unfinished("work", "key", "a") is None
    assert take_unfinished("work", "key", "a", theirs).run_id == run.id


def test_a_run_that_somebody_else_stopped_is_not_taken_unasked_and_not_deleted(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "alice")
    with pytest.raises(KeyboardInterrupt), start("work", {"key": "a"}) as run:
        raise KeyboardInterrupt
    by_mlflow_run = store.create_run("0", tags={"mlflow.user": "as the machine knows her"}).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", by_mlflow_run)
    with pytest.raises(KeyboardInterrupt), start("work", {"key": "b"}):
        raise KeyboardInterrupt
    dismissed = store.create_run("0", tags={"mlflow.user": "alice", "anomaly.resumed": "x"}).info.run_id
    store.set_terminated(dismissed, "FAILED")

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "bob")
    close_dead_runs(watch=False)
    assert store.get_run(dismissed).info.lifecycle_stage == "active"
    assert [take_unfinished("work", "key", "a"), take_unfinished("work", "key", "b")] == [None, None]

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "alice")
    close_dead_runs(watch=False)
    assert store.get_run(dismissed).info.lifecycle_stage == "deleted"
    taken = [take_unfinished("work", "key", "a"), take_unfinished("work", "key", "b")]
    assert [lease.run_id for lease in taken] == [run.id, by_mlflow_run]

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "bob")
    store.set_tag(run.id, HEARTBEAT, "0")
    for lease in taken:
        lease.settle({})
    assert take_run(run.id).run_id == run.id


def test_what_a_resumed_run_logs_again_is_there_once(store):
    table = pd.DataFrame({"a": [1, 2]})
    with pytest.raises(KeyboardInterrupt), start("work", {"key": "a"}) as run:
        run.log_metrics({"loss": 1.0}, step=0)
        run.log_table(table, "folder/table.json")
        raise KeyboardInterrupt
    with start("work", {}, take_up=take_unfinished("work", "key", "a")) as run:
        for step in (0, 1):
            run.log_metrics({"loss": 2.0, "new": 0.0}, step=step)
        run.log_table(table, "folder/table.json")
        run.log_table(table, "other.json")
    assert run.metric_history("loss") == [1.0, 2.0]
    assert run.metric_history("new") == [0.0, 0.0]
    assert pd.read_json(run.path("folder/table.json"), orient="split").equals(table)
    assert pd.read_json(run.path("other.json"), orient="split").equals(table)


def test_the_run_that_mlflow_run_opened_does_not_stay_beside_the_resumed_one(store, monkeypatch):
    run_id, waiting = died(), store.create_run("0").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", waiting)
    monkeypatch.setattr(waiting_run.atexit, "register", lambda function, run: None)  # as if SIGKILL came
    with start("work", {}, take_up=take_run(run_id)) as run:
        assert run.id == run_id
    assert store.get_run(waiting).data.tags["anomaly.resumed"] == run_id
    close_dead_runs(watch=False)
    assert store.get_run(waiting).info.lifecycle_stage == "active", "`mlflow run` still waits"
    store.set_terminated(waiting, "FAILED")
    close_dead_runs(watch=False)
    assert store.get_run(waiting).info.lifecycle_stage == "deleted"


def test_a_run_that_is_called_failed_under_its_owners_hands_is_running_again(store):
    with start("work", {}) as run:
        store.set_terminated(run.id, "FAILED")
        wait_for(lambda: run.status == "RUNNING")

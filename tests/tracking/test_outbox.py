"""Epochs reach their run although the server, or the process that sends them, dies in between."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from threading import Timer
from urllib.parse import unquote

import pytest
import requests
from desk import ROOT
from mlflow import MlflowClient
from real_server import RealServer

from anomaly_mlflow.errors import BadData, RunNotFound, ServerUnavailable
from anomaly_mlflow.tracking.outbox import Outbox
from anomaly_mlflow.tracking.outbox_entries import Entries
from anomaly_mlflow.tracking.run import Run

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def one_server(tmp_path_factory):
    real = RealServer(tmp_path_factory.mktemp("server"))
    yield real
    real.kill()


@pytest.fixture
def server(one_server, monkeypatch):
    """A server that runs as the test begins, and is the one that the environment names."""
    if not one_server.answers():
        one_server.kill()
        one_server.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", one_server.address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("ANOMALY_PATIENCE", "60")
    return one_server


@pytest.fixture
def run(server):
    return Run(MlflowClient(server.address).create_run("0").info.run_id)


@pytest.fixture
def outbox(run, tmp_path):
    opened = Outbox(run, tmp_path)
    yield opened
    opened.close()


def write(folder, path, content):
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_bytes(content)
    part.replace(file)
    return file


def recorded(folder, step, content=b"logits"):
    return write(folder, f"recording/epoch={step:04d}/part-0.parquet", content + bytes([step]) * 1000)


def put(outbox, folder, *steps):
    for step in steps:
        outbox.put(step, {"loss": 1 / (step + 1), "test_accuracy": step / 10}, [recorded(folder, step)])


def history(run, key="loss"):
    """(step, value) in the order in which the server keeps them."""
    return [(entry.step, entry.value) for entry in MlflowClient().get_metric_history(run.id, key)]


def assert_all_there(run, folder, *steps):
    assert history(run) == [(step, 1 / (step + 1)) for step in steps]
    assert history(run, "test_accuracy") == [(step, step / 10) for step in steps]
    for step in steps:
        path = f"recording/epoch={step:04d}/part-0.parquet"
        assert run.path(path).read_bytes() == (folder / path).read_bytes()


def waiting(folder):
    return len(list(folder.glob("outbox/*.json")))


def test_what_is_put_while_the_server_is_dead_arrives_once_it_is_back(server, run, outbox, tmp_path):
    put(outbox, tmp_path, 0, 1, 2)
    outbox.drain()
    server.kill()
    put(outbox, tmp_path, 3, 4)
    server.start()
    put(outbox, tmp_path, 5)
    outbox.drain()
    assert_all_there(run, tmp_path, 0, 1, 2, 3, 4, 5)


def test_a_server_killed_at_any_moment_of_sending_receives_each_epoch_once(server, run, outbox, tmp_path):
    for first in range(0, 24, 8):
        put(outbox, tmp_path, *range(first, first + 8))
        server.kill()
        server.start()
    outbox.drain()
    assert_all_there(run, tmp_path, *range(24))


def test_a_server_that_comes_back_after_the_training_receives_all_and_the_wait_is_said_once(
    server, run, outbox, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr("anomaly_mlflow.tracking.outbox.QUIET", 0.1)
    server.kill()
    put(outbox, tmp_path, 0, 1, 2)
    Timer(3, server.start).start()
    outbox.drain()
    assert_all_there(run, tmp_path, 0, 1, 2)
    assert caplog.text.count(f"waiting for {server.address} to take what lies in {tmp_path}") == 1


def test_epochs_go_in_order_and_the_files_of_each_before_its_metrics(server, run, outbox, tmp_path):
    server.kill()
    put(outbox, tmp_path, 2, 0, 1)
    outbox.replace(write(tmp_path, "checkpoint/even.safetensors", b"weights"))
    before = len(server.log)
    server.start()
    outbox.drain()
    calls = re.findall(r"PUT \S+/artifacts/(\S+) HTTP|POST \S+(log-batch)", unquote(server.log[before:]))
    epochs = [call for step in range(3) for call in (f"recording/epoch={step:04d}/part-0.parquet", "log-batch")]
    assert [path or metrics for path, metrics in calls] == [*epochs, "checkpoint/even.safetensors"]


@pytest.mark.parametrize("away", [signal.SIGKILL, signal.SIGSTOP])
def test_put_returns_before_anything_is_sent_where_the_server_is_dead_or_hangs(server, run, outbox, tmp_path, away):
    os.killpg(server.process.pid, away)
    put(outbox, tmp_path, *range(20))
    assert waiting(tmp_path) == 20
    if away == signal.SIGSTOP:
        os.killpg(server.process.pid, signal.SIGCONT)
    else:
        server.kill()
        server.start()
    outbox.drain()
    assert waiting(tmp_path) == 0
    assert_all_there(run, tmp_path, *range(20))


def test_of_a_file_that_is_replaced_only_the_newest_is_sent(server, run, outbox, tmp_path):
    server.kill()
    for epoch in range(5):
        put(outbox, tmp_path, epoch)
        outbox.replace(write(tmp_path, f"checkpoint/{('even', 'odd')[epoch % 2]}", b"weights %d" % epoch))
    before = len(server.log)
    server.start()
    outbox.drain()
    assert re.findall(r"PUT \S+/checkpoint/(\S+) HTTP", server.log[before:]) == ["odd", "even"]
    assert [run.path(f"checkpoint/{name}").read_bytes() for name in ("odd", "even")] == [b"weights 3", b"weights 4"]
    outbox.replace(write(tmp_path, "checkpoint/odd", b"weights 5"))
    outbox.drain()
    assert run.path("checkpoint/odd").read_bytes() == b"weights 5"


SENDER = """
import sys
from pathlib import Path
from tracking.test_outbox import Outbox, Run, put
folder = Path(sys.argv[2])
outbox = Outbox(Run(sys.argv[1]), folder)
put(outbox, folder, 0, 1)
outbox.drain()
print("sent", flush=True)
input()
put(outbox, folder, 2, 3)
print("put", flush=True)
input()
outbox.close()
"""


@pytest.fixture
def left_behind(server, run, tmp_path):
    """Epochs 0 and 1 were sent by another process, 2 and 3 were put there while the server was dead."""
    command = [sys.executable, "-c", SENDER, run.id, str(tmp_path)]
    # With its own pauses MLflow's seven attempts take four minutes.
    variables = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "7"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, **variables}, **pipes) as process:
        try:
            assert process.stdout.readline() == "sent\n"
            server.kill()
            print("go on", file=process.stdin, flush=True)
            assert process.stdout.readline() == "put\n"
            yield process
        finally:
            process.kill()


def test_a_later_process_sends_what_a_killed_one_left_and_doubles_nothing(server, run, left_behind, tmp_path):
    left_behind.kill()
    left_behind.wait()
    server.start()
    resumed = Run(run.id)
    outbox = Outbox(resumed, tmp_path)
    outbox.put(3, {"loss": 9, "test_accuracy": 9}, [recorded(tmp_path, 3, b"other logits")])  # trained once more
    put(outbox, tmp_path, 4)
    outbox.drain()
    outbox.close()
    assert_all_there(resumed, tmp_path, 0, 1, 2, 3, 4)


def test_a_process_whose_server_is_away_ends_without_waiting_for_it(left_behind, tmp_path):
    left_behind.communicate("end\n", timeout=60)
    assert left_behind.returncode == 0
    assert waiting(tmp_path) == 2


def test_a_step_whose_metrics_arrived_without_a_mark_is_not_doubled(run, outbox, tmp_path):
    put(outbox, tmp_path, 0, 1)
    outbox.drain()
    outbox.close()
    mark = tmp_path / "outbox" / "epoch=000001.sent"
    mark.rename(mark.with_suffix(".json"))
    again = Outbox(run, tmp_path)
    again.drain()
    again.close()
    assert waiting(tmp_path) == 0
    assert_all_there(run, tmp_path, 0, 1)


def test_metrics_that_arrived_although_the_answer_was_lost_are_not_doubled(run, outbox, tmp_path, monkeypatch):
    send, lost = MlflowClient.log_batch, []

    def log_batch(self, *words, **metrics):
        send(self, *words, **metrics)
        if not lost:
            lost.append(True)
            raise requests.ConnectionError("connection reset")

    monkeypatch.setattr(MlflowClient, "log_batch", log_batch)
    put(outbox, tmp_path, 0, 1)
    outbox.drain()
    assert lost == [True]
    assert_all_there(run, tmp_path, 0, 1)


def test_a_run_resumed_on_another_machine_keeps_the_metrics_of_its_first_steps(run, outbox, tmp_path):
    put(outbox, tmp_path, 0, 1)
    outbox.drain()
    elsewhere = Outbox(run, tmp_path / "elsewhere")
    elsewhere.put(1, {"loss": 9}, [recorded(tmp_path / "elsewhere", 1, b"other logits")])
    elsewhere.drain()
    elsewhere.close()
    assert history(run) == [(0, 1.0), (1, 0.5)]
    assert run.path("recording/epoch=0001/part-0.parquet").read_bytes().startswith(b"other logits")


def test_the_content_of_a_run_is_the_same_after_a_resume_and_the_checkpoint_is_none_of_it(run, outbox, tmp_path):
    put(outbox, tmp_path, 0, 1)
    outbox.drain()
    outbox.close()
    logged_directly, resumed = Run(run.id), Run(run.id)
    for step in (0, 1):
        logged_directly.log_file(recorded(tmp_path, step), f"recording/epoch={step:04d}")
    assert run.content == logged_directly.content
    again = Outbox(resumed, tmp_path)
    again.replace(write(tmp_path, "checkpoint/even", b"weights"))
    again.close()
    assert resumed.content == run.content


def test_an_entry_that_waits_for_files_that_are_gone_is_dropped_and_may_be_put_again(server, run, outbox, tmp_path):
    server.kill()
    put(outbox, tmp_path, 0, 1)
    outbox.close()
    (tmp_path / "recording/epoch=0001/part-0.parquet").unlink()
    server.start()
    again = Outbox(run, tmp_path)
    again.drain()
    assert [step for step, _ in history(run)] == [0]
    put(again, tmp_path, 1)
    again.drain()
    again.close()
    assert_all_there(run, tmp_path, 0, 1)


def test_after_much_patience_one_line_says_where_everything_lies_and_a_later_outbox_sends_it(
    server, run, outbox, tmp_path, monkeypatch
):
    monkeypatch.setenv("ANOMALY_PATIENCE", "1")
    server.kill()
    put(outbox, tmp_path, 0)
    with pytest.raises(ServerUnavailable, match=f"{server.address} is away.*{tmp_path}: type the same command again"):
        outbox.drain()
    outbox.close()
    server.start()
    later = Outbox(run, tmp_path)
    later.drain()
    later.close()
    assert_all_there(run, tmp_path, 0)


def test_a_run_that_was_deleted_is_named_at_once_and_nothing_is_lost(server, run, outbox, tmp_path):
    put(outbox, tmp_path, 0)
    outbox.drain()
    MlflowClient().delete_run(run.id)
    put(outbox, tmp_path, 1)
    with pytest.raises(RunNotFound, match=f"{run.id}.*deleted on the server: restore it"):
        outbox.drain()
    with pytest.raises(RunNotFound):
        put(outbox, tmp_path, 2)
    assert waiting(tmp_path) == 2


def test_a_damaged_entry_is_named(run, tmp_path):
    write(tmp_path, "outbox/epoch=000000.json", b"{")
    with pytest.raises(BadData, match=r"outbox/epoch=000000\.json cannot be read"):
        Outbox(run, tmp_path)


ODD_VALUES = (
    *({"files": {"/etc/hostname": ""}}, {"files": {"../../secret.txt": ""}}, {"files": ["a"]}, {"files": {"a": 1}}),
    *({"metrics": [1]}, {"metrics": {"a": "b"}}, {"metrics": {"a": [1]}}),
    *({"step": "x"}, {"step": -1}, {"step": 1.5}, {"timestamp": 10**40}),
)


@pytest.mark.parametrize("text", ["[" * 200000, "[]", *ODD_VALUES])
def test_an_entry_that_no_outbox_wrote_is_named(tmp_path, text):
    if isinstance(text, dict):
        text = json.dumps({"step": 0, "files": {}, "metrics": {}, "timestamp": 0, **text})
    write(tmp_path, "outbox/epoch=000000.json", text.encode())
    with pytest.raises(BadData, match=r"epoch=000000\.json cannot be read"):
        Entries(tmp_path / "outbox")


def test_without_a_server_epochs_go_into_the_local_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    run = Run(MlflowClient().create_run("0").info.run_id)
    outbox = Outbox(run, tmp_path / "work")
    put(outbox, tmp_path / "work", 0, 1, 2)
    outbox.drain()
    outbox.close()
    assert_all_there(run, tmp_path / "work", 0, 1, 2)


def test_a_closed_outbox_takes_nothing_and_does_not_blame_the_server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("ANOMALY_PATIENCE", "1")
    monkeypatch.setattr(Outbox, "_work", lambda self: None)
    outbox = Outbox(Run("0"), tmp_path)
    put(outbox, tmp_path, 0)
    outbox.close()
    checkpoint = write(tmp_path, "checkpoint/even", b"weights")
    for use in (lambda: put(outbox, tmp_path, 1), lambda: outbox.replace(checkpoint), outbox.drain):
        with pytest.raises(RuntimeError, match="is closed"):
            use()
    assert waiting(tmp_path) == 1


def test_what_to_do_where_the_server_stays_away_is_said_in_the_words_of_the_caller(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("ANOMALY_PATIENCE", "0.1")
    monkeypatch.setattr(Outbox, "_work", lambda self: None)
    outbox = Outbox(Run("0"), tmp_path, "whistle")
    put(outbox, tmp_path, 0)
    with pytest.raises(ServerUnavailable, match=f"{tmp_path}: whistle$"):
        outbox.drain()
    outbox.close()


def test_a_full_disk_under_the_local_artifacts_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    run = Run(MlflowClient().create_run("0").info.run_id)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(MlflowClient, "log_artifact", full)
    outbox = Outbox(run, tmp_path / "work")
    put(outbox, tmp_path / "work", 0)
    with pytest.raises(OSError, match="No space left"):
        outbox.drain()
    outbox.close()

"""Four writers, and what may go wrong meanwhile: nothing is lost, nothing is there twice, no run is left RUNNING."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import mlflow
import pytest
from native_services import DOCKER, native_services

pytestmark = pytest.mark.filterwarnings("default")

WRITERS, EPOCHS, EVERY, ROWS = 4, 12, 1.5, 20_000
ROOT = Path(__file__).resolve().parents[2]
REFUSED_FOR = 60


@pytest.fixture(scope="module")
def service():
    """The services, with a way to S3 that can be closed."""
    with native_services() as running:
        yield running


def login(service, password=None):
    return {
        "MLFLOW_TRACKING_URI": service.address,
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": password or service.secret("admin_password"),
    }


@contextmanager
def writers(folder, variables, epochs=EPOCHS):
    """Four processes that record, which do not outlive the test; their streams are files of the folder."""
    command = [sys.executable, "-m", "benchmarks.writer"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TMPDIR": str(folder), **variables}
    with ExitStack() as stack:
        processes = []
        for number in range(WRITERS):
            streams = [stack.enter_context(open(folder / f"{number}.{name}", "w")) for name in ("out", "err")]
            words = [*command, str(number), str(epochs), str(EVERY), str(ROWS)]
            process = subprocess.Popen(words, env=environment, cwd=folder, stdout=streams[0], stderr=streams[1])
            stack.callback(process.wait, 30)
            stack.callback(process.kill)
            processes.append(process)
        wait_for(lambda: len(written(folder)) >= 2 * WRITERS, processes)
        yield processes


def written(folder):
    """The epochs that lie on the disk of the writers."""
    return list(folder.glob("recording-*/recording/epoch=*/part-0.parquet"))


def wait_for(condition, processes, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert all(process.poll() is None for process in processes), "a writer ended early"
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.2)


def all_is_there_once(folder, processes, variables, monkeypatch):
    """What the writers say that they wrote is what the server gives back."""
    for process in processes:
        process.wait(300)
    assert [process.returncode for process in processes] == [0] * WRITERS, (folder / "0.err").read_text()[-2000:]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    client = mlflow.MlflowClient(variables["MLFLOW_TRACKING_URI"])
    for number in range(WRITERS):
        told = json.loads((folder / f"{number}.out").read_text().splitlines()[-1])
        assert len(told["digests"]) == EPOCHS
        there = Path(client.download_artifacts(told["run"], "recording", str(folder)))
        files = [path for path in there.rglob("*") if path.is_file()]
        assert {f"recording/{path.relative_to(there)}": digest(path) for path in files} == told["digests"]
        assert client.get_run(told["run"]).info.status == "FINISHED"
        for path in files:
            path.unlink()


def digest(path):
    return sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("part", ["server", "postgres"])
def test_while_a_part_is_down_nothing_is_lost_or_doubled(service, part, tmp_path, monkeypatch):
    with writers(tmp_path, login(service)) as processes:
        service.kill(part) if part == "server" else service.stop(part)  # PostgreSQL's processes outlive a SIGKILL
        time.sleep(4)
        service.start(part)
        all_is_there_once(tmp_path, processes, login(service), monkeypatch)


def test_while_the_store_of_artifacts_refuses_for_a_minute_nothing_is_lost_or_doubled(service, tmp_path, monkeypatch):
    with gate(service.ports["s3"]) as (port, closed), monkeypatch.context() as patch:
        service.kill("server")
        patch.setenv("S3_ENDPOINT", f"http://127.0.0.1:{port}")
        service.start("server")
        with writers(tmp_path, login(service)) as processes:
            closed.set()
            time.sleep(REFUSED_FOR)
            closed.clear()
            all_is_there_once(tmp_path, processes, login(service), monkeypatch)
    service.kill("server")
    service.start("server")


@contextmanager
def gate(port):
    """A port that leads to another one, and the event that closes it: then it refuses."""
    closed, over = threading.Event(), threading.Event()
    outer = socket.create_server(("127.0.0.1", 0))
    outer.settimeout(0.2)

    def serve():
        while not over.is_set():
            with suppress(TimeoutError):
                near, _ = outer.accept()
                if closed.is_set():
                    near.close()
                else:
                    threading.Thread(target=join, args=(near, socket.create_connection(("127.0.0.1", port)))).start()

    def join(near, far):
        other = threading.Thread(target=pour, args=(far, near))
        other.start()
        pour(near, far)
        other.join()
        near.close()
        far.close()

    def pour(source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                if closed.is_set():
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield outer.getsockname()[1], closed
    finally:
        over.set()
        thread.join()
        outer.close()


def test_while_the_disk_of_artifacts_is_full_nothing_is_lost_or_doubled(tmp_path, monkeypatch):
    if subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("mounting a small disk needs root")
    with (
        small_disk_server(tmp_path) as (address, enlarge),
        writers(tmp_path, at := {"MLFLOW_TRACKING_URI": address}) as all_,
    ):
        wait_for(lambda: "No space left on device" in (tmp_path / "server.log").read_text(), all_)
        enlarge()
        all_is_there_once(tmp_path, all_, at, monkeypatch)


@contextmanager
def small_disk_server(folder):
    """An MLflow server whose artifacts lie on a disk of 4 MB, and what makes the disk large enough."""
    store = folder / "store"
    store.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mlflow_server = f"{Path(sys.executable).parent}/mlflow server --port {port} --workers 1"
    mlflow_server += f" --backend-store-uri sqlite:///{folder}/mlflow.db --artifacts-destination {store}"
    script = f"mount -t tmpfs -o size=4m none {store} && exec {mlflow_server}"
    variables = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script], stdout=log, stderr=log, env=variables, start_new_session=True
        )
    larger = ["nsenter", "-t", str(process.pid), "-m", "mount", "-o", "remount,size=200m", str(store)]
    try:
        wait_for(lambda: answers(port), [process])
        yield f"http://127.0.0.1:{port}", lambda: subprocess.run(larger, check=True)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def answers(port):
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    return False


def test_writers_whose_password_is_changed_say_so_and_keep_what_they_could_not_send(service, tmp_path):
    service.api("users/create", username="writer", password="the-first-password")
    if not service.call("/api/2.0/mlflow/experiments/get-by-name?experiment_name=load").ok:
        service.api("experiments/create", name="load")
    grant = [sys.executable, DOCKER / "user.py", "grant", "writer", "experiment", "load", "MANAGE"]
    subprocess.run(grant, check=True, env=service.environment() | {"MLFLOW_TRACKING_URI": service.address})
    mine = {**login(service, "the-first-password"), "MLFLOW_TRACKING_USERNAME": "writer", "ANOMALY_LEASE": "8"}
    with writers(tmp_path, mine, epochs=100) as processes:
        change = {"username": "writer", "password": "the-second-password"}
        assert service.call("/api/2.0/mlflow/users/update-password", method="PATCH", json=change).ok
        for process in processes:
            process.wait(120)
    for number, process in enumerate(processes):
        said = (tmp_path / f"{number}.err").read_text()
        assert process.returncode == 1
        assert "refuses the login: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said
        assert "did not reach their run; the recording lies in" in said
        assert "the-first-password" not in said and "the-second-password" not in said
    kept = {path.parents[1] for path in written(tmp_path)}
    assert len(kept) == WRITERS
    for folder in kept:
        assert sorted(int(path.parent.name[6:]) for path in folder.glob("epoch=*/*")) == list(
            range(len(list(folder.iterdir())))
        )
    again = os.environ | mine | {"MLFLOW_TRACKING_PASSWORD": "the-second-password", "MLFLOW_EXPERIMENT_NAME": "load"}
    again |= {"ANOMALY_STATE": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "entry_points", "doctor", "--close"]
    told = subprocess.run(command, env=again, cwd=tmp_path, capture_output=True, text=True)
    assert f"{WRITERS} marked FAILED" in told.stdout and told.returncode == 0, told.stdout + told.stderr

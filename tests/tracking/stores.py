"""Real tracking stores, each empty: a SQLite file, an MLflow server, PostgreSQL."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from glob import glob
from importlib.util import find_spec
from pathlib import Path

import requests
from empty_store import close_connections
from services import need

__all__ = ["STORES"]


@contextmanager
def sqlite(folder):
    yield f"sqlite:///{folder}/mlflow.db"


@contextmanager
def server(folder):
    port = free_port()
    command = [str(Path(sys.executable).parent / "mlflow"), "server", "--port", str(port), "--workers", "2"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db"]
    variables = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"))
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


@contextmanager
def postgres(folder):
    programs = sorted(glob("/usr/lib/postgresql/*/bin"))
    need(bool(programs), "PostgreSQL is not installed (apt-get install postgresql)")
    need(find_spec("psycopg") is not None, "psycopg is not installed")
    port = free_port()
    user = {"user": "postgres"} if os.geteuid() == 0 else {}  # it refuses to run as root
    with tempfile.TemporaryDirectory() as data:  # pytest's own folders are closed to other users
        Path(data).chmod(0o777)
        initdb = [f"{programs[-1]}/initdb", "-D", f"{data}/db", "-U", "peer", "-A", "trust"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=data, **user)
        command = [f"{programs[-1]}/postgres", "-D", f"{data}/db", "-p", str(port), "-k", data]
        process = subprocess.Popen(command, cwd=data, stderr=subprocess.DEVNULL, **user)
        try:
            ready = [f"{programs[-1]}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            wait_for(lambda: subprocess.run(ready).returncode == 0)
            yield f"postgresql+psycopg://peer@127.0.0.1:{port}/postgres"
        finally:
            close_connections()
            process.send_signal(signal.SIGINT)
            process.wait(60)


STORES = {"sqlite": sqlite, "server": server, "postgres": postgres}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(address):
    try:
        return requests.get(address, timeout=2).ok
    except requests.RequestException:
        return False


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.2)

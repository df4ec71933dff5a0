"""A Ray cluster on this machine that knows nothing of the project: what a worker needs has to be sent to it."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from services import need

PROGRAM = Path(sys.executable).parent / "ray"


@contextmanager
def bare_cluster(folder, workers=2, **variables):
    """What connects to a head node with so many workers of one core, started in a folder: RAY_ADDRESS and its token.

    variables: the environment of the workers.
    """
    need(PROGRAM.exists(), "ray is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--head", f"--port={port}", f"--num-cpus={workers}", "--node-ip-address=127.0.0.1", "--block"]
    words += ["--include-dashboard=false", "--disable-usage-stats", "--object-store-memory=200000000"]
    (folder / "token").write_text(secrets.token_hex(32))
    login = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
    foreign = ("PYTHONPATH", "MLFLOW_", "ANOMALY_", "RAY_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    with open(folder / "ray.log", "w") as log:
        process = subprocess.Popen(
            [PROGRAM, "start", *words],
            cwd=folder,
            env={**plain, **login, **variables},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_until_it_runs(process, folder / "ray.log")
            yield {"RAY_ADDRESS": f"127.0.0.1:{port}", **login}
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                _kill_session(process.pid)


def _wait_until_it_runs(process, log, seconds=90):
    end = time.monotonic() + seconds
    while "Ray runtime started" not in log.read_text():
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.3)


def _kill_session(leader):
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)

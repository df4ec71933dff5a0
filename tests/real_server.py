"""A real MLflow server that can be killed and started again on the same port."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

__all__ = ["RealServer"]


class RealServer:
    """`mlflow server` with one worker, its database and artifacts in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [str(Path(sys.executable).parent / "mlflow"), "server", "--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--artifacts-destination", str(self.folder / "store")]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        with open(self.folder / "server.log", "a") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**inherited, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 120
        while not self.answers():
            assert self.process.poll() is None, self.log[-2000:]
            assert time.monotonic() < end, "the server did not start in time"
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL, all its processes at once; nothing happens where it does not run."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    @property
    def log(self) -> str:
        """What the server has written, each request a line."""
        return (self.folder / "server.log").read_text()

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            return requests.get(f"{self.address}/health", timeout=2).ok
        except requests.RequestException:
            return False

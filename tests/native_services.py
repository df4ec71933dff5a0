"""The services of docker/ without containers, each part a process that can be killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from glob import glob
from importlib.util import find_spec
from pathlib import Path

import requests
from services import need

__all__ = ["DOCKER", "NativeServices", "native_folder", "native_services"]

DOCKER = Path(__file__).resolve().parents[1] / "docker"
PARTS = {"postgres": "PGPORT", "s3": "S3_PORT", "server": "SERVER_PORT"}
_LONGEST = 180  # seconds; a start takes 10 where the cores are free


@contextmanager
def native_services():
    """All three parts, running; ended whatever happens."""
    with native_folder() as services:
        for part in PARTS:
            services.start(part)
        yield services


@contextmanager
def native_folder():
    """The same with nothing started: ports, secrets and a folder; what runs in the end is ended."""
    need(bool(glob("/usr/lib/postgresql/*/bin/initdb")), "PostgreSQL is not installed (apt-get install postgresql)")
    for name in ("psycopg", "boto3", "moto", "flask_wtf"):
        need(find_spec(name) is not None, f"{name} is not installed")
    services = NativeServices(Path(tempfile.mkdtemp()))
    try:
        yield services
    finally:
        services.kill("server")
        services.kill("s3")
        services.stop("postgres")
        shutil.rmtree(services.folder)


class NativeServices:
    """PostgreSQL, an S3 stand-in (moto) and the MLflow server, each started by docker/native.sh."""

    def __init__(self, folder: Path):
        folder.chmod(0o755)  # PostgreSQL runs as another user where the tests run as root
        self.folder = folder
        self.ports = {part: _free_port() for part in PARTS}
        self.address = f"http://127.0.0.1:{self.ports['server']}"
        self.processes = {}
        subprocess.run([DOCKER / "secrets.sh"], check=True, env=self.environment())

    def environment(self) -> dict[str, str]:
        """Variables that lead scripts of docker/ to these services."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "PG", "AWS_"))}
        ports = {PARTS[part]: str(port) for part, port in self.ports.items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**inherited, **ports, "PATH": path, "SECRETS": str(self.folder / "secrets")}

    def start(self, part: str) -> None:
        """Start one part, and wait until it accepts connections."""
        command = [DOCKER / "native.sh", self.folder, part]
        with open(self.log_file(part), "a") as log:
            process = subprocess.Popen(
                command, env=self.environment(), stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        self.processes[part] = process
        end = time.monotonic() + _LONGEST
        while not self.answers(part):
            assert process.poll() is None, self.log_file(part).read_text()[-2000:]
            assert time.monotonic() < end, f"{part} did not start in time"
            time.sleep(0.2)

    def kill(self, part: str) -> None:
        """SIGKILL, all its processes at once; nothing happens where it does not run."""
        process = self.processes.pop(part, None)
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)

    def stop(self, part: str) -> None:
        """End one part in order, and wait; nothing happens where it does not run."""
        process = self.processes.pop(part, None)
        if process is not None:
            process.send_signal(signal.SIGINT if part == "postgres" else signal.SIGTERM)
            process.wait(30)

    def answers(self, part: str) -> bool:
        """Whether this part accepts connections; the server: whether it is in health."""
        with suppress(OSError):
            if part == "server":
                return requests.get(f"{self.address}/health", timeout=5).ok
            socket.create_connection(("127.0.0.1", self.ports[part]), timeout=5).close()
            return True
        return False

    def log_file(self, part: str) -> Path:
        (self.folder / "logs").mkdir(exist_ok=True)
        return self.folder / "logs" / f"{part}.log"

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text()

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess:
        """A script of docker/, led to these services."""
        return subprocess.run(
            [DOCKER / script, *map(str, words)], env=self.environment(), capture_output=True, text=True, cwd=self.folder
        )

    def call(self, path: str, user: str = "admin", method: str = "GET", **request) -> requests.Response:
        """One request to the MLflow server as a user; `user` empty: without a login."""
        password = self.secret("admin_password") if user == "admin" else f"password-of-{user}"
        login = (user, password) if user else None
        return requests.request(method, f"{self.address}{path}", auth=login, timeout=60, **request)

    def api(self, verb: str, user: str = "admin", **json) -> dict:
        """A POST to MLflow's REST API that must succeed."""
        response = self.call(f"/api/2.0/mlflow/{verb}", user, "POST", json=json)
        assert response.ok, response.text
        return response.json()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]

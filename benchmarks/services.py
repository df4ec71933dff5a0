"""The tracking service without containers (docker/native.sh): PostgreSQL, an S3 stand-in, the server with logins."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

__all__ = ["services"]

DOCKER = Path(__file__).resolve().parents[1] / "docker"


@contextmanager
def services(home: Path) -> Iterator[tuple[dict[str, str], psutil.Process]]:
    """Variables that lead a client to the server, and its process. Raises RuntimeError where it does not start."""
    home.chmod(0o755)  # PostgreSQL runs as another user where this one is root
    ports = dict(zip(("PGPORT", "S3_PORT", "SERVER_PORT"), map(str, _free_ports(3)), strict=True))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | ports | {"SECRETS": str(home / "secrets"), "PATH": path}
    subprocess.run([DOCKER / "secrets.sh"], check=True, env=environment)
    command = [DOCKER / "native.sh", str(home)]
    process = subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, text=True)
    try:
        if not any(line.startswith("export ") for line in process.stdout):
            raise RuntimeError("docker/native.sh does not start the services, see above")
        login = {"USERNAME": "admin", "PASSWORD": (home / "secrets" / "admin_password").read_text()}
        found = {"URI": f"http://127.0.0.1:{ports['SERVER_PORT']}", **login}
        yield {f"MLFLOW_TRACKING_{name}": value for name, value in found.items()}, _server(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _server(parent: int) -> psutil.Process:
    below = psutil.Process(parent).children(recursive=True)
    return next(each for each in below if "mlflow" in " ".join(each.cmdline()) and "server" in each.cmdline())


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports

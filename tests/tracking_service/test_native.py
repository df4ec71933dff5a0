"""All services by one command, which leaves nothing behind however it ends."""

import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from native_services import DOCKER, native_folder


@pytest.fixture(scope="module")
def folder():
    with native_folder() as services:
        yield services


@contextmanager
def all_of_them(services):
    """`native.sh FOLDER` in a process of its own."""
    command = [DOCKER / "native.sh", services.folder]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=services.environment(), start_new_session=True, **pipes)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def wait_until(condition, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.2)


def running(services, *parts):
    return [part for part in parts if services.answers(part)]


def test_it_says_where_the_server_is_and_ends_with_the_first_service_that_ends(folder):
    with all_of_them(folder) as process:
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert lines[0] == f"{folder.address} (user admin, password in {folder.folder}/secrets/admin_password)\n"
        assert lines[1] == f"export MLFLOW_TRACKING_URI={folder.address}\n"
        assert running(folder, "postgres", "s3", "server") == ["postgres", "s3", "server"]
        (store,) = [child for child in psutil.Process(process.pid).children() if "moto.server" in child.cmdline()]
        store.kill()
        assert process.wait(180) == 1
        assert process.stderr.read().endswith(f"one of the services ended; see {folder.folder}/logs\n")
    assert running(folder, "postgres", "s3", "server") == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_runs_on_when_it_is_told_to_stop_or_is_killed(folder, sent):
    with all_of_them(folder) as process:
        wait_until(lambda: running(folder, "postgres", "s3") == ["postgres", "s3"])
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(sent)
        process.wait(180)
        wait_until(lambda: not any(child.is_running() for child in children))


def test_the_password_of_the_database_is_in_no_file_that_others_read(folder, tmp_path):
    stand_in = tmp_path / "setpriv"  # in place of the user of PostgreSQL: what initdb would find, and no cluster
    stand_in.write_text("""#!/bin/sh
for word in "$@"; do case $word in --pwfile=*) stat -c %a "${word#*=}" >&2 ;; esac; done
exit 1
""")
    stand_in.chmod(0o755)
    variables = folder.environment() | {"PATH": f"{tmp_path}:{folder.environment()['PATH']}"}
    command = [DOCKER / "native.sh", tmp_path / "new", "postgres"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, umask=0o022)
    assert (done.returncode, done.stderr) == (1, "600\n")


def test_a_port_that_is_taken_is_said_in_one_line(folder):
    with socket.create_server(("127.0.0.1", folder.ports["s3"])), all_of_them(folder) as process:
        _, told = process.communicate(timeout=180)
    assert process.returncode == 1
    assert told == f"port {folder.ports['s3']} is taken: stop what uses it, or set S3_PORT\n"


@pytest.mark.parametrize("missing", ["initdb", "mlflow"])
def test_a_program_that_is_not_installed_is_named_before_anything_starts(missing, tmp_path):
    for name in {"initdb", "mlflow"} - {missing}:
        (tmp_path / name).symlink_to("/bin/true")
    script = (DOCKER / "native.sh").read_text().replace("/usr/lib/postgresql/", f"{tmp_path}/none/")
    copied = Path(shutil.copytree(DOCKER, tmp_path / "docker", ignore=shutil.ignore_patterns("secrets"))) / "native.sh"
    copied.write_text(script)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run([copied, tmp_path / "data"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(f"{missing} is not on the PATH: install ")

"""The workers of a Ray cluster (Moritz et al. 2018, Ray: a distributed framework for emerging AI applications)."""

import logging
import os
import shutil
import signal
import socket
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import current_thread, main_thread

from joblib.parallel import ParallelBackendBase

from anomaly_mlflow.errors import BadOption, ServerUnavailable
from anomaly_mlflow.training.ray_tasks import Submit, first_line, in_order, submitter
from anomaly_mlflow.training.side_by_side import Workers

__all__ = ["ray_workers"]

ONE_THREAD = dict.fromkeys(ParallelBackendBase.MAX_NUM_THREADS_VARS, "1")


@contextmanager
def ray_workers(
    workers: int,
    *,
    shared: Path,
    address: str | None = None,
    variables: dict[str, str] | None = None,
    code: Sequence[Path] = (),
    gpus: int = 0,
    one_machine: bool = False,
) -> Iterator[Workers]:
    """Those of a Ray cluster, which is met at the first tasks and left at the end.

    workers: processes of one core each, started here where no address is given; address: HOST:PORT of a cluster that
    runs. shared: a folder that every worker has to see under this path, since tasks leave there what is done.
    variables: environment of the workers, which Ray shows to whoever sees its pages: no secrets. code: folders of
    packages that are sent along; gpus: that each task takes; one_machine: refuse workers on other machines.
    A task whose worker dies is not given to another one: WorkerDied, as with processes of this machine.
    Raises BadOption where Ray is not installed or a worker does not see `shared`, ServerUnavailable where the cluster
    does not answer.
    """
    if find_spec("ray") is None:
        raise BadOption("backend=ray needs Ray: pip install 'ray>=2.59', or take backend=processes")
    with ExitStack() as stack:

        @cache
        def submit() -> Submit:
            stack.enter_context(_connected(workers, address, {**ONE_THREAD, **(variables or {})}, code))
            if one_machine:
                _refuse_other_machines()
            return submitter(stack.enter_context(_mark(shared)), gpus)

        yield lambda tasks, jobs: in_order(submit(), tasks, jobs)


@contextmanager
def _connected(workers: int, address: str | None, variables: dict[str, str], code: Sequence[Path]) -> Iterator[None]:
    if address:
        _knock(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    import ray

    own = {} if address else {"num_cpus": workers, "include_dashboard": False}
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    with tempfile.TemporaryDirectory() as folder, _sigterm_kept():
        for package in code:
            shutil.copytree(package, Path(folder, package.name), ignore=shutil.ignore_patterns("__pycache__"))
        try:
            # As one working folder, so that packages lie beside each other as they do here.
            ray.init(address or "local", runtime_env={"working_dir": folder, "env_vars": variables}, **own, **quiet)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            where = f"the Ray cluster at {address}" if address else "a Ray cluster on this machine"
            raise ServerUnavailable(f"{where} cannot be used: {first_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises ServerUnavailable where nobody listens at HOST:PORT: Ray would try for minutes."""
    host, _, port = address.split("://")[-1].rpartition(":")
    if not port.isdecimal():
        raise BadOption(f"RAY_ADDRESS={address} is not of the form HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ServerUnavailable(f"the Ray cluster at {address} does not answer: {first_line(error)}") from error


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Ray puts a handler of its own in the place of ours."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if current_thread() is main_thread():
            signal.signal(signal.SIGTERM, before)


def _refuse_other_machines() -> None:
    import ray

    names = {node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]} - {socket.gethostname()}
    if names:
        told = ", ".join(sorted(names))
        raise BadOption(f"workers on {told} cannot reach the runs of this folder; set MLFLOW_TRACKING_URI to a server")


@contextmanager
def _mark(shared: Path) -> Iterator[Path]:
    """A file by which workers know the folder."""
    shared.mkdir(parents=True, exist_ok=True)
    mark = shared.absolute() / f".seen-{uuid.uuid4().hex}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)

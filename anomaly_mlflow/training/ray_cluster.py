"""The workers of a Ray cluster (Moritz et al. 2018, Ray: a distributed framework for emerging AI applications).

Ray's own backend for joblib gives back all results at the end, and its pool is lost with one of its processes.
"""

import logging
import os
import shutil
import signal
import socket
import tempfile
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from threading import current_thread, main_thread

from joblib.parallel import ParallelBackendBase

from anomaly_mlflow.errors import BadOption, ServerUnavailable, WorkerDied
from anomaly_mlflow.training.side_by_side import Task, Workers

__all__ = ["ray_workers"]

ONE_THREAD = dict.fromkeys(ParallelBackendBase.MAX_NUM_THREADS_VARS, "1")
PLAIN = (bool, int, float, str, Path, type(None))


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
        raise BadOption("backend=ray needs Ray: pip install 'anomaly-mlflow[ray]', or take backend=processes")
    with ExitStack() as stack:

        @cache
        def submit() -> Callable:
            stack.enter_context(_connected(workers, address, {**ONE_THREAD, **(variables or {})}, code))
            if one_machine:
                _refuse_other_machines()
            mark = stack.enter_context(_mark(shared))
            import ray

            remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(_carry_out)
            return partial(remote.remote, Path.cwd(), mark)

        yield lambda tasks, jobs: _in_order(submit(), tasks, jobs)


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
            raise ServerUnavailable(f"{where} cannot be used: {_first_line(error)}") from error
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
        raise ServerUnavailable(f"the Ray cluster at {address} does not answer: {_first_line(error)}") from error


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


def _carry_out(_home: Path, _mark: Path, _function: Callable, *args: object, **kwargs: object) -> object:
    """What a worker does for a task; relative paths mean what they mean to who gave it, where that folder is there."""
    if not _mark.exists():
        told = f"the worker on {socket.gethostname()} does not see {_mark.parent}"
        raise BadOption(f"{told}: let ANOMALY_STATE name a folder that all machines share")
    with suppress(OSError):
        os.chdir(_home)
    return _function(*args, **kwargs)


def _in_order(submit: Callable, tasks: list[Task], jobs: int) -> Iterator:
    import ray

    left, begun, running, found = iter(_with_references(tasks)), deque(), set(), {}
    try:
        while True:
            for function, args, kwargs in islice(left, jobs - len(running)):
                begun.append(submit(function, *args, **kwargs))
                running.add(begun[-1])
            if not begun:
                return
            done, _ = ray.wait(list(running))
            running.difference_update(done)
            found |= {reference: _result(reference) for reference in done}
            while begun and begun[0] in found:
                yield found.pop(begun.popleft())
    finally:
        _cancel(running)


def _with_references(tasks: list[Task]) -> Iterator[Task]:
    """The tasks, what several of them are given sent to the cluster once."""
    import ray

    times = Counter(id(value) for _, args, kwargs in tasks for value in (*args, *kwargs.values()))
    sent = {}

    def refer(value: object) -> object:
        if isinstance(value, PLAIN) or times[id(value)] == 1:
            return value
        if id(value) not in sent:
            sent[id(value)] = ray.put(value)
        return sent[id(value)]

    for function, args, kwargs in tasks:
        yield function, [refer(value) for value in args], {name: refer(value) for name, value in kwargs.items()}


def _result(reference: object) -> object:
    import ray
    from ray import exceptions

    try:
        return ray.get(reference)
    except exceptions.RayTaskError as error:  # its own text is a traceback
        raise error.cause from error
    except (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError, exceptions.NodeDiedError) as error:
        raise WorkerDied from error
    except exceptions.RayError as error:
        raise ServerUnavailable(f"the Ray cluster failed: {_first_line(error)}") from error


def _cancel(running: set) -> None:
    """End these tasks, and wait until their processes are gone: whoever goes on works alone on what they worked on."""
    import ray

    if not running:
        return
    with suppress(ray.exceptions.RayError):
        for reference in running:
            ray.cancel(reference, force=True)
        ray.wait(list(running), num_returns=len(running), timeout=30)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

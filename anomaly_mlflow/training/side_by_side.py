"""Work side by side: in processes of this machine, or where a context says (`elsewhere`)."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from joblib import Parallel, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from anomaly_mlflow.errors import WorkerDied
from anomaly_mlflow.training.orphans import end_with_parent

__all__ = ["Task", "Workers", "elsewhere", "side_by_side"]

Task = tuple[Callable, tuple, dict]
"""What `joblib.delayed(function)(...)` makes."""

Workers = Callable[[list[Task], int], Iterator]
"""Carries out tasks, so many at once; results come in order, each when it is done."""


def side_by_side(tasks: list[Task], jobs: int) -> Iterator:
    """Carry out tasks, `jobs` at once, in processes of one thread each; results come in order, each when it is done.

    One job at a time is carried out in this process, wherever the others would be. A worker that dies ends all: what
    its task had left in a folder is taken up when the task is given again. Raises WorkerDied, and what a task raises.
    """
    yield from (_processes if jobs == 1 else _workers.get())(tasks, jobs)


@contextmanager
def elsewhere(workers: Workers) -> Iterator[None]:
    """Within it `side_by_side` hands its tasks to these workers; a worker's own tasks stay with it."""
    before = _workers.set(workers)
    try:
        yield
    finally:
        _workers.reset(before)


def _processes(tasks: list[Task], jobs: int) -> Iterator:
    workers = {"n_jobs": jobs, "inner_max_num_threads": 1, "initializer": end_with_parent}
    try:
        with warnings.catch_warnings(), parallel_config(backend="loky", **workers):
            # A process that has grown by a training's memory is replaced between two tasks: that is meant to be.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
            yield from Parallel(return_as="generator")(tasks)
    except TerminatedWorkerError:
        raise WorkerDied from None


_workers: ContextVar[Workers] = ContextVar("workers", default=_processes)

"""Tasks on their way to the workers of a Ray cluster and back.

Not by Ray's backend for joblib: it gives back all results at the end, and its pool is lost with one of its processes.
"""

import os
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

from anomaly_mlflow.errors import BadOption, ServerUnavailable, WorkerDied
from anomaly_mlflow.training.side_by_side import Task

__all__ = ["Submit", "carry_out", "first_line", "in_order", "submitter"]

Submit = Callable[..., object]
"""Takes a function and its arguments; gives back Ray's reference to the result."""

PLAIN = (bool, int, float, str, Path, type(None))


def submitter(mark: Path, gpus: int) -> Submit:
    """Hands tasks to the cluster that this process is connected to; mark: a file that every worker has to see.

    A task whose worker dies is not given to another one.
    """
    import ray

    return partial(ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(carry_out).remote, Path.cwd(), mark)


def carry_out(_home: Path, _mark: Path, _function: Callable, *args: object, **kwargs: object) -> object:
    """What a worker does for a task; relative paths mean what they mean to who gave it, where that folder is there."""
    if not _mark.exists():
        told = f"the worker on {socket.gethostname()} does not see {_mark.parent}"
        raise BadOption(f"{told}: let ANOMALY_STATE name a folder that all machines share")
    with suppress(OSError):
        os.chdir(_home)
    return _function(*args, **kwargs)


def in_order(submit: Submit, tasks: list[Task], jobs: int) -> Iterator:
    """The results of tasks in their order, each when it is done; `jobs` of them are with the cluster at a time."""
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
        raise ServerUnavailable(f"the Ray cluster failed: {first_line(error)}") from error


def _cancel(running: set) -> None:
    """End these tasks, and wait until their processes are gone: whoever goes on works alone on what they worked on."""
    import ray

    if not running:
        return
    with suppress(ray.exceptions.RayError):
        for reference in running:
            ray.cancel(reference, force=True)
        ray.wait(list(running), num_returns=len(running), timeout=30)


def first_line(error: Exception) -> str:
    """What an error of Ray says, without the lines that follow."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

"""Eight writers at one server at once, SQLite beside PostgreSQL: is every row there once, how fast, at what memory?

`python -m benchmarks.load [SECONDS]` (120 by default, for each of the two). PostgreSQL, the S3 stand-in and the logins
are those of `docker/native.sh`.
"""

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import mlflow
import numpy as np
import psutil

from benchmarks.history import ROWS
from benchmarks.rows import Row, publish
from benchmarks.server import server
from benchmarks.services import services

WRITERS, EVERY, SECONDS = 8, 5.0, 120
MOST_MEMORY = 100.0
"""MB by which the server may grow."""


@dataclass(frozen=True)
class Load:
    """What eight writers met. seconds: until the last row had arrived; waited: seconds of each call with metrics."""

    rows: int
    seconds: float
    waited: np.ndarray
    grown: float


def main() -> None:
    """Load both, one after the other."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    for name, store in (("SQLite", _sqlite), ("PostgreSQL", services)):
        with tempfile.TemporaryDirectory() as home, store(Path(home)) as (environment, process):
            _write(environment, 1, 2)  # a server that has just started would seem to grow
            publish(_rows(name, load(environment, process, seconds)))


@contextmanager
def _sqlite(home: Path) -> Iterator[tuple[dict[str, str], psutil.Process]]:
    with server(home) as (address, process):
        yield {"MLFLOW_TRACKING_URI": address}, psutil.Process(process.pid)


def load(environment: dict[str, str], process: psutil.Process, seconds: float) -> Load:
    """Let the writers write; raises RuntimeError where one failed or a row is not there exactly as it was written."""
    before, highest, done = _memory(process), [0.0], Event()

    def watch() -> None:
        while not done.wait(1):
            highest[0] = max(highest[0], _memory(process))

    watching = Thread(target=watch, daemon=True)
    watching.start()
    begun = time.perf_counter()
    try:
        told = _write(environment, WRITERS, int(seconds / EVERY))
    finally:
        took = time.perf_counter() - begun
        done.set()
        watching.join()
    rows = sum(check(environment, each) for each in told) * ROWS
    return Load(rows, took, np.concatenate([each["waited"] for each in told]), highest[0] - before)


def _write(environment: dict[str, str], writers: int, epochs: int) -> list[dict]:
    command = [sys.executable, "-m", "benchmarks.writer"]
    processes = [
        subprocess.Popen(
            [*command, str(k), str(epochs), str(EVERY)],
            env=os.environ | environment | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for k in range(writers)
    ]
    said = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("a writer failed, see above")
    return [json.loads(text.splitlines()[-1]) for text in said]


def check(environment: dict[str, str], told: dict) -> int:
    """Epochs of a writer, each read back by its checksum; nothing lost, nothing twice, nothing more, run FINISHED."""
    os.environ.update(environment)
    client = mlflow.MlflowClient()
    with tempfile.TemporaryDirectory() as folder:
        there = Path(client.download_artifacts(told["run"], "recording", folder))
        files = [path for path in there.rglob("*") if path.is_file()]
        found = {f"recording/{path.relative_to(there)}": _sha256(path) for path in files}
    if found != told["digests"]:
        raise RuntimeError(f"files of run {told['run']} are lost or not as written")
    if client.get_run(told["run"]).info.status != "FINISHED":
        raise RuntimeError(f"run {told['run']} is not FINISHED")
    steps = [metric.step for metric in client.get_metric_history(told["run"], "metric_0")]
    if steps != list(range(len(told["waited"]))):
        raise RuntimeError(f"metrics of run {told['run']} are lost or doubled")
    return len(found)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _memory(process: psutil.Process) -> float:
    """MB that the server's processes hold for themselves and share among one another."""
    return sum(each.memory_full_info().pss for each in [process, *process.children(recursive=True)]) / 1e6


def _rows(name: str, found: Load) -> list[Row]:
    waited = f"five metrics: median {1e3 * np.median(found.waited):.0f} ms, worst {found.waited.max():.2f} s"
    told = f"{found.rows:,} rows, every file read back by its checksum, {len(found.waited)} calls, no error"
    return [
        Row(f"load, {name}: rows a second, {WRITERS} writers", found.rows / found.seconds, None, None, 1, None, told),
        Row(f"load, {name}: worst call, s", float(found.waited.max()), None, None, len(found.waited), None, waited),
        Row(f"load, {name}: MB that the server grew", found.grown, None, None, 1, (-math.inf, MOST_MEMORY)),
    ]


if __name__ == "__main__":
    main()

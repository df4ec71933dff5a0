"""From a training to its run: the epochs in order, each once, however long the tracking server is away."""

import hashlib
import logging
import os
import time
from functools import cache
from pathlib import Path
from threading import Condition, Thread
from urllib.parse import quote

from mlflow.entities import Metric

from anomaly_mlflow.errors import ServerUnavailable
from anomaly_mlflow.tracking.outbox_entries import Entries, Entry
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client, first_line, may_pass, server_address

__all__ = ["Outbox"]

logger = logging.getLogger(__name__)

PATIENCE = 600.0
"""Seconds without progress after which `drain` gives up; ANOMALY_PATIENCE sets others."""
QUIET = 5.0
"""Seconds without progress after which `drain` says what it waits for."""
LONGEST_PAUSE = 5.0
"""Seconds between two attempts, at most; what MLflow itself tries within one comes on top."""


class Outbox:
    """Sends the epochs of a training to a run from a thread of its own, which waits while the server is away.

    folder: all files that are sent lie below it; `folder/outbox` keeps what was put and how much of it was sent,
    and a later process goes on there. An entry is dropped if it still waits and its files are gone: a training
    that resumes before that epoch puts it again. advice: what to do where `drain` gives up.
    """

    def __init__(self, run: Run, folder: Path, advice: str = "type the same command again to send it"):
        self._run, self._folder, self._client, self._advice = run, folder, client(), advice
        self._entries = Entries(folder / "outbox")
        self._entries.drop_without_files(folder)
        for entry in self._entries:
            self._note_content(entry)
        self._steps_there = cache(self._look_up_steps)
        self._changed = Condition()
        self._failure: Exception | None = None
        self._last_attempt = ""
        self._closed = False
        self._thread = Thread(target=self._work, name="outbox", daemon=True)
        self._thread.start()

    def put(self, step: int, metrics: dict[str, float], files: list[Path]) -> None:
        """Send one epoch: files (their path below the folder becomes their artifact path), then metrics.

        Returns at once. A step that was put before keeps its metrics; its files are sent again if they differ.
        Raises OSError where the disk is full, AnomalyError where the server has refused an epoch for good, RuntimeError
        after `close`.
        """
        name = f"epoch={step:06d}"
        digests = {self._path(file): _sha256(file) for file in files}
        with self._changed:
            self._check_open()
            earlier = self._entries.get(name)
            if earlier is None:
                values = {key: float(value) for key, value in metrics.items()}
                self._add(name, Entry(step, digests, values, time.time_ns() // 10**6))
            elif earlier.files != digests:
                self._add(name, Entry(step, digests, earlier.metrics, earlier.timestamp))
        self._raise_failure()

    def replace(self, file: Path) -> None:
        """Send a file of which only the newest is wanted, after all epochs so far; it is no content of the run."""
        path = self._path(file)
        with self._changed:
            self._check_open()
            step = max((entry.step for entry in self._entries), default=0)
            self._add(quote(path, safe=""), Entry(step, {path: ""}, {}, 0, newest_only=True))
        self._raise_failure()

    def drain(self) -> None:
        """Wait until all is sent; what it waits for is said once.

        Raises ServerUnavailable after ten minutes without progress, AnomalyError where the server refuses for good.
        """
        patience = float(os.environ.get("ANOMALY_PATIENCE", PATIENCE))
        told = False
        with self._changed:
            while self._entries.waiting and self._failure is None:
                self._check_open()
                if self._progress_within(min(QUIET, patience)):
                    continue
                if not told:
                    logger.warning("waiting for %s to take what lies in %s", server_address(), self._folder)
                    told = True
                if not self._progress_within(patience):
                    raise ServerUnavailable(
                        f"tracking server {server_address()} is away{self._last_attempt}; what it lacks lies in "
                        f"{self._folder}: {self._advice}"
                    )
        self._raise_failure()

    def close(self) -> None:
        """Stop at once; what is unsent stays on disk."""
        self._stop()
        self._thread.join(1)  # no longer: MLflow may be waiting within an attempt, and the thread ends with the process

    def _add(self, name: str, entry: Entry) -> None:
        self._entries.add(name, entry)
        self._note_content(entry)
        self._changed.notify_all()

    def _note_content(self, entry: Entry) -> None:
        for path, digest in entry.files.items():
            if not entry.newest_only:
                self._run.note_digest(digest, path)

    def _path(self, file: Path) -> str:
        return file.relative_to(self._folder).as_posix()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            with clear_errors():
                raise self._failure

    def _check_open(self) -> None:
        if self._closed and self._failure is None:
            raise RuntimeError(f"the outbox of {self._folder} is closed: nothing is sent any more")

    def _progress_within(self, seconds: float) -> bool:
        before = len(self._entries.waiting)
        moved = lambda: len(self._entries.waiting) < before or self._failure is not None  # noqa: E731
        return self._changed.wait_for(moved, seconds)

    def _stop(self, failure: Exception | None = None) -> None:
        with self._changed:
            self._failure, self._closed = failure or self._failure, True
            self._changed.notify_all()

    def _work(self) -> None:
        pause = 1.0
        while (found := self._next()) is not None:
            name, entry = found
            try:
                self._send(entry)
                with self._changed:
                    self._entries.mark_sent(name, entry)
                    self._changed.notify_all()
                pause = 1.0
            except Exception as error:
                if not may_pass(error):
                    return self._stop(error)
                self._last_attempt = f" ({first_line(error)})"
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        return None

    def _next(self) -> tuple[str, Entry] | None:
        """Name and entry whose turn it is; None once the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._entries.waiting or self._closed)
            return None if self._closed else self._entries.next()

    def _send(self, entry: Entry) -> None:
        for path in map(Path, entry.files):
            parent = path.parent.as_posix()
            self._client.log_artifact(self._run.id, str(self._folder / path), None if parent == "." else parent)
        metrics = [
            Metric(key, value, entry.timestamp, entry.step)
            for key, value in entry.metrics.items()
            if entry.step not in self._steps_there(key)
        ]
        # If an attempt arrived although its answer did not: MLflow drops a metric of the same step, time and value.
        if metrics:
            self._client.log_batch(self._run.id, metrics=metrics)

    def _look_up_steps(self, key: str) -> set[int]:
        """The steps of a metric that an earlier process left in the run."""
        return {metric.step for metric in self._client.get_metric_history(self._run.id, key)}


def _sha256(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()

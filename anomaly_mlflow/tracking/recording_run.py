"""A recording of somebody's own training loop on its way to a run."""

import atexit
import logging
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import mlflow

from anomaly_mlflow.errors import AnomalyError, ServerUnavailable
from anomaly_mlflow.tracking import current, json_lines
from anomaly_mlflow.tracking.attempts import leaving_server
from anomaly_mlflow.tracking.experiments import experiment_id
from anomaly_mlflow.tracking.lease import Lease, owner_tags
from anomaly_mlflow.tracking.lifecycle import set_up_database
from anomaly_mlflow.tracking.outbox import Outbox
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client, server_address

__all__ = ["RunFiles", "to_run"]

logger = logging.getLogger(__name__)

STEP = "recording"
LAST_WAIT = 10.0
"""Seconds for which a process that ends without `close` waits for what is still unsent."""


def to_run(experiment: str = "recordings") -> "RunFiles":
    """Where a Recorder writes to have its epochs in an MLflow run: the active one, or a new one in this experiment."""
    if json_lines.wanted():
        json_lines.speak_json()
    with clear_errors():
        set_up_database()
        active = mlflow.active_run()
        if active:
            return RunFiles(Run(active.info.run_id), ends=False)
        made = client().create_run(
            experiment_id(experiment), tags={"anomaly.step": STEP, **owner_tags()}, run_name=STEP
        )
        return RunFiles(Run(made.info.run_id), ends=True)


class RunFiles:
    """Sends files to `recording/` of a run, from a thread of its own that waits while the server is away.

    folder: where they are written first; it is removed once all are sent. ends: the run ends with the recording,
    FINISHED by `close`, FAILED where the process ends without it.
    """

    def __init__(self, run: Run, *, ends: bool):
        self.run = run
        self._work = Path(tempfile.mkdtemp(prefix="recording-"))
        self.folder = self._work / "recording"
        self._outbox, self._sent = Outbox(run, self._work), 0
        # A run that was thought dead while the server was away is no reason to end somebody's training.
        self._lease = Lease(run.id, ends_process=False) if ends else None
        if self._lease:
            self._lease.keep()
        atexit.register(self._abandon)
        current.begin(STEP, run.id)

    def upload(self, file: Path) -> None:
        """Send a file below the folder; returns at once."""
        self._outbox.put(self._sent, {}, [file])
        self._sent += 1

    def close(self) -> None:
        """Wait until all has arrived, and end the run. Raises ServerUnavailable where the server stays away."""
        try:
            self._outbox.drain()
        except ServerUnavailable:
            raise ServerUnavailable(f"tracking server {server_address()} stays away; {self._advice}") from None
        self._outbox.close()
        with clear_errors():
            self.run.tag("anomaly.content", self.run.content)
            self._end("FINISHED")
        atexit.unregister(self._abandon)
        shutil.rmtree(self._work, ignore_errors=True)
        _say(logging.INFO, self.run.link)

    @property
    def _advice(self) -> str:
        return f"the recording lies in {self.folder}: python -m entry_points extract_features --recording {self.folder}"

    def _end(self, status: str) -> None:
        if self._lease:
            self._lease.release()
            if status == "FINISHED":
                self.run.untag("anomaly.error")  # of whoever thought it dead
            client().set_terminated(self.run.id, status)

    def _abandon(self) -> None:
        leaving_server()
        end = time.monotonic() + LAST_WAIT
        while self._unsent() and time.monotonic() < end:
            time.sleep(0.1)
        self._outbox.close()
        if self._unsent():
            _say(logging.ERROR, f"{self._unsent()} epochs did not reach their run; {self._advice}")
        else:
            shutil.rmtree(self._work, ignore_errors=True)
        with suppress(AnomalyError), clear_errors():
            self._end("FAILED")

    def _unsent(self) -> int:
        return len(list(self._work.glob("outbox/*.json")))


def _say(level: int, text: str) -> None:
    """On stderr, also in a program that has set up no logging."""
    if json_lines.wanted():
        logger.log(level, "%s", text)
    else:
        print(f"recording: {text}", file=sys.stderr)

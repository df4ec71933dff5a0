"""A recording of somebody's own training loop on its way to a run."""

import atexit
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import mlflow

from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.tracking.lifecycle import set_up_database
from anomaly_mlflow.tracking.outbox import Outbox
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client

__all__ = ["RunFiles", "to_run"]

STEP = "recording"


def to_run(experiment: str = "recordings") -> "RunFiles":
    """Where a Recorder writes to have its epochs in an MLflow run: the active one, or a new one in this experiment."""
    with clear_errors():
        set_up_database()
        active = mlflow.active_run()
        if active:
            return RunFiles(Run(active.info.run_id), ends=False)
        found = client().get_experiment_by_name(experiment)
        number = found.experiment_id if found else client().create_experiment(experiment)
        made = client().create_run(number, tags={"anomaly.step": STEP}, run_name=STEP)
        return RunFiles(Run(made.info.run_id), ends=True)


class RunFiles:
    """Sends files to `recording/` of a run, from a thread of its own that waits while the server is away.

    folder: where they are written first; it is removed once all are sent. ends: the run ends with the recording,
    FINISHED by `close`, FAILED where the process ends without it.
    """

    def __init__(self, run: Run, *, ends: bool):
        self.run, self._ends = run, ends
        self._work = Path(tempfile.mkdtemp(prefix="recording-"))
        self.folder = self._work / "recording"
        self._outbox, self._sent = Outbox(run, self._work), 0
        atexit.register(self._abandon)

    def upload(self, file: Path) -> None:
        """Send a file below the folder; returns at once."""
        self._outbox.put(self._sent, {}, [file])
        self._sent += 1

    def close(self) -> None:
        """Wait until all has arrived, and end the run. Raises ServerUnavailable where the server stays away."""
        self._outbox.drain()
        self._outbox.close()
        with clear_errors():
            self.run.tag("anomaly.content", self.run.content)
            if self._ends:
                client().set_terminated(self.run.id, "FINISHED")
        atexit.unregister(self._abandon)
        shutil.rmtree(self._work, ignore_errors=True)
        print(f"recording: {self.run.link}", file=sys.stderr)

    def _abandon(self) -> None:
        self._outbox.close()
        if self._ends:
            with suppress(AnomalyError), clear_errors():
                client().set_terminated(self.run.id, "FAILED")

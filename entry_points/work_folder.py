"""The folder on this machine where a run keeps what it needs to go on after its process died."""

import os
import re
import shutil
from pathlib import Path

from anomaly_mlflow.errors import ServerUnavailable
from anomaly_mlflow.tracking.run import Run

__all__ = ["remove_work_folder", "state_folder", "work_folder"]


def state_folder() -> Path:
    """Where the folders of all runs lie: `$ANOMALY_STATE`, by default ~/.local/state/anomaly-mlflow."""
    return Path(os.environ.get("ANOMALY_STATE") or Path.home() / ".local" / "state" / "anomaly-mlflow")


def work_folder(run: Run) -> Path:
    """`$ANOMALY_STATE/RUN_ID`, by default under ~/.local/state/anomaly-mlflow; it outlives the process.

    Raises ServerUnavailable where the server calls the run by something that is no plain name: the folder is removed
    in the end.
    """
    folder = _path(run)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_work_folder(run: Run) -> None:
    """Called once everything is with the run: nothing is left to take up. Raises ServerUnavailable as above."""
    shutil.rmtree(_path(run), ignore_errors=True)


def _path(run: Run) -> Path:
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", run.id):
        raise ServerUnavailable(f"the tracking server names a run {run.id[:100]!r}, which is no run id")
    return state_folder() / run.id

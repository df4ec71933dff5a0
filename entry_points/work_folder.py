"""The folder on this machine where a run keeps what it needs to go on after its process died."""

import os
import shutil
from pathlib import Path

from anomaly_mlflow.tracking.run import Run

__all__ = ["remove_work_folder", "work_folder"]


def work_folder(run: Run) -> Path:
    """`$ANOMALY_STATE/RUN_ID`, by default under ~/.local/state/anomaly-mlflow; it outlives the process."""
    folder = _path(run)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_work_folder(run: Run) -> None:
    """Called once everything is with the run: nothing is left to take up."""
    shutil.rmtree(_path(run), ignore_errors=True)


def _path(run: Run) -> Path:
    root = os.environ.get("ANOMALY_STATE") or Path.home() / ".local" / "state" / "anomaly-mlflow"
    return Path(root, run.id)

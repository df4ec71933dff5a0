"""How many trainings go side by side."""

import os

import joblib

from anomaly_mlflow.training.device import on_gpu

__all__ = ["cluster", "jobs_of"]

ANY_NUMBER = 1_000_000
"""A cluster lets wait what it has no room for."""


def jobs_of(options: dict) -> int:
    """Trainings side by side: as asked, or one a core; a GPU takes one at a time, a running cluster what it can."""
    if options["jobs"]:
        return options["jobs"]
    if options.get("backend") == "ray" and cluster():
        return ANY_NUMBER
    return 1 if on_gpu(options["device"]) else joblib.cpu_count()


def cluster() -> str | None:
    """The address of a Ray cluster that runs; None: one is started for the command."""
    return os.environ.get("RAY_ADDRESS") or None

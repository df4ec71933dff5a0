"""How many trainings go side by side."""

import joblib

from anomaly_mlflow.training.device import on_gpu

__all__ = ["jobs_of"]


def jobs_of(options: dict) -> int:
    """Trainings side by side: as asked, or one a core; a GPU takes one at a time."""
    return options["jobs"] or (1 if on_gpu(options["device"]) else joblib.cpu_count())

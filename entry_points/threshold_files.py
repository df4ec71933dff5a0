"""What `train_thresholds` logged, read back in the order of the samples."""

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.threshold_samples import RUNS, ThresholdRun

__all__ = ["log_threshold_run", "read_threshold_runs"]

COLUMNS = {"sample_id": int, "threshold": object, "margin": object}


def log_threshold_run(run: Run, number: int, sample_id: np.ndarray, found: ThresholdRun) -> None:
    """Write one training's threshold rows and areas under the margin to thresholds/run=NUMBER.parquet."""
    frame = pd.DataFrame({"sample_id": sample_id, "threshold": found.threshold, "margin": found.margin})
    run.log_frame(frame, _artifact(number))


def read_threshold_runs(run: Run, sample_id: np.ndarray) -> list[ThresholdRun]:
    """The trainings with threshold rows. Raises BadData where they are of other samples or hold no numbers."""
    return [_read(run, number, sample_id) for number in range(RUNS)]


def _read(run: Run, number: int, sample_id: np.ndarray) -> ThresholdRun:
    frame = run.frame(_artifact(number), COLUMNS)
    if not np.array_equal(frame["sample_id"], sample_id):
        raise BadData(f"run {run.id} was made from other samples; run train_thresholds again")
    threshold, margin = frame["threshold"].to_numpy(), frame["margin"].to_numpy()
    usable = threshold.dtype.kind == "b" and margin.dtype.kind == "f" and np.isfinite(margin).all()
    if not usable or not threshold.any() or threshold.all():
        what = f"{_artifact(number)} of run {run.id}"
        raise BadData(f"{what} holds no threshold rows beside others, or no numbers; run train_thresholds again")
    return ThresholdRun(threshold, margin.astype(np.float32))


def _artifact(number: int) -> str:
    return f"thresholds/run={number}.parquet"

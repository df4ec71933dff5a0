"""What `train_folds` logged, read back in the order of the samples."""

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.probes import SUITES, ProbeRun
from anomaly_mlflow.training.second_split import SecondSplit

__all__ = ["read_out_of_fold", "read_probes", "read_second_splits"]


def read_out_of_fold(run: Run, sample_id: np.ndarray, num_classes: int) -> np.ndarray:
    """Logits of models of other folds, float32 (n, classes). Raises BadData where they are of other samples."""
    frame = run.frame("out_of_fold.parquet", {"sample_id": int, "logits": object})
    logits = _matrix(frame["logits"], run, np.float32)
    if not np.array_equal(frame["sample_id"], sample_id) or logits.shape[1] != num_classes:
        raise _other_samples(run)
    return logits


def read_second_splits(run: Run, sample_id: np.ndarray) -> list[SecondSplit]:
    """One second split a fold."""
    splits = []
    for file in _files(run, "second_split", "fold"):
        frame = run.frame(f"second_split/{file}", {"sample_id": int, "correct": object})
        rows = pd.Index(sample_id).get_indexer(frame["sample_id"])
        if (rows < 0).any() or len(np.unique(rows)) < len(rows):
            raise _other_samples(run)
        splits.append(SecondSplit(rows, _matrix(frame["correct"], run, bool).T))
    return splits


def read_probes(run: Run, sample_id: np.ndarray) -> list[ProbeRun]:
    """The trainings with probes."""
    runs = []
    for file in _files(run, "probes", "run"):
        frame = run.frame(f"probes/{file}", {"sample_id": int, "suite": int, "loss": object})
        suite = frame["suite"].to_numpy()
        if not np.array_equal(frame["sample_id"], sample_id) or not np.isin(suite, range(-1, len(SUITES))).all():
            raise _other_samples(run)
        runs.append(ProbeRun(_matrix(frame["loss"], run, np.float32).T, suite))
    return runs


def _files(run: Run, folder: str, key: str) -> list[str]:
    found = sorted(path.name for path in run.path(folder).glob(f"{key}=*.parquet"))
    if found != sorted(f"{key}={number}.parquet" for number in range(len(found))) or not found:
        raise BadData(f"{folder} of run {run.id} is not whole; run train_folds again")
    return found


def _matrix(cells: pd.Series, run: Run, dtype: type) -> np.ndarray:
    try:
        matrix = np.stack(cells).astype(dtype)
    except (ValueError, TypeError):
        matrix = np.empty(0)
    if matrix.ndim != 2:
        raise BadData(f"a table of run {run.id} holds lists of different lengths; run train_folds again")
    return matrix


def _other_samples(run: Run) -> BadData:
    return BadData(f"run {run.id} was made from other samples; run train_folds again")

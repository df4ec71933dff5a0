"""The rows of a task, from feature tables and ledger."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.tasks import TASKS
from anomaly_mlflow.detection.labelled import Labelled
from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.errors import BadData, UnknownName

__all__ = ["labelled"]


def labelled(features: Sequence[pd.DataFrame], ledger: pd.DataFrame, groups: np.ndarray, task: str) -> Labelled:
    """The rows of a task with all their signals, in the order of the ledger.

    features: one frame per seed of the noisy model; groups: int64 (n,), in the order of the ledger.
    Raises UnknownName, BadData where a side is empty, Leakage and BadData as `join` and `matrix` do.
    """
    if task not in TASKS:
        raise UnknownName("task", task, TASKS)
    types = ledger["anomaly_type"].to_numpy().astype(str)
    positive = np.isin(types, [str(kind) for kind in TASKS[task].positives])
    rows = np.flatnonzero(positive | np.isin(types, [str(kind) for kind in TASKS[task].negatives]))
    if positive[rows].all() or not positive[rows].any():
        raise BadData(f"the task '{task}' has rows of one side alone; inject more of the missing type")
    tables = [matrix(join(frame, ledger)) for frame in features]
    if any(columns != tables[0][0] for columns, _ in tables):
        raise BadData("the feature tables of the seeds have different signals; extract them with the same options")
    X = np.stack([values[rows] for _, values in tables])
    return Labelled(X, tuple(tables[0][0]), positive[rows], groups[rows], ledger["sample_id"].to_numpy()[rows])

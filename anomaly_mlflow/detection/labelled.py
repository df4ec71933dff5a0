"""The rows that a detector learns from: signals, and which side each row is on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.tasks import TASKS
from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.errors import BadData, UnknownName

__all__ = ["Labelled", "labelled"]


@dataclass(frozen=True)
class Labelled:
    """The rows of a task: signals X float64 (seeds, n, columns), positive bool (n,), groups int64 (n,), sample_id."""

    X: np.ndarray
    columns: tuple[str, ...]
    positive: np.ndarray
    groups: np.ndarray
    sample_id: np.ndarray

    def rows(self, chosen: np.ndarray) -> "Labelled":
        """These rows alone."""
        kept = (self.positive[chosen], self.groups[chosen], self.sample_id[chosen])
        return Labelled(self.X[:, chosen], self.columns, *kept)

    def only(self, columns: Sequence[str]) -> "Labelled":
        """These columns alone, in the order of the table."""
        where = [position for position, column in enumerate(self.columns) if column in set(columns)]
        names = tuple(self.columns[position] for position in where)
        return Labelled(self.X[:, :, where], names, self.positive, self.groups, self.sample_id)

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X (seeds * n, columns), positive and groups of all seeds under one another."""
        seeds = len(self.X)
        return np.concatenate(self.X), np.tile(self.positive, seeds), np.tile(self.groups, seeds)


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

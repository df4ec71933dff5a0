"""What the signals of the family `geometry` share: the clean side fold by fold, scaled so that folds compare.

z = embedding scaled to length 1; cosine distance = 1 - cosine, in 0 .. 2. Each fold has an encoder of its own:
distances are divided by the median of the same distance over the fold's reference rows.
"""

from collections.abc import Callable

import numpy as np

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import CrossFit, Evidence

__all__ = ["LEAST", "by_fold", "class_means", "scale"]

LEAST = 1e-7
"""Float32 embeddings carry no smaller cosine distance."""


def by_fold(evidence: Evidence, judge: Callable[[CrossFit, np.ndarray, int], np.ndarray]) -> np.ndarray:
    """float64 (n,): judge(fold, given labels of its rows, number of classes) put together.

    Raises BadData where a fold has no reference rows.
    """
    values = np.empty(len(evidence.labels))
    for fold in evidence.references:
        if len(fold.reference_labels) == 0:
            raise BadData("a fold has no reference rows; use fewer folds or a smaller share of anomalies")
        values[fold.rows] = judge(fold, evidence.labels[fold.rows], evidence.num_classes)
    return values


def class_means(rows: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean row of each class, float64 (C, d), zero where it has none; number of rows of each class, (C,)."""
    members = np.eye(num_classes)[labels]
    count = members.sum(axis=0)
    return members.T @ rows / np.maximum(count, 1)[:, None], count


def scale(distances: np.ndarray) -> float:
    """The median, never 0."""
    return max(float(np.median(distances)), LEAST)

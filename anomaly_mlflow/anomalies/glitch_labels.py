"""Label noise of the glitch study: which rows get which wrong label."""

from collections.abc import Iterable

import numpy as np

from anomaly_mlflow.anomalies.injector import generator

__all__ = ["noisy_labels", "some_rows", "to_partner"]


def noisy_labels(labels: np.ndarray, num_classes: int, share: float, seed: int, purpose: str) -> np.ndarray:
    """A copy of int64 (n,) in which round(share * n) labels are another class each, uniformly drawn."""
    rows = some_rows(np.arange(len(labels)), share, seed, purpose)
    step = generator(seed, purpose, "target").integers(1, num_classes, size=len(labels))
    given = labels.copy()
    given[rows] = (labels[rows] + step[rows]) % num_classes
    return given


def to_partner(
    labels: np.ndarray, num_classes: int, classes: Iterable[int], share: float, seed: int, purpose: str
) -> np.ndarray:
    """A copy of int64 (n,) in which each of these classes has lost the share of its rows to one other class, drawn."""
    given = labels.copy()
    step = generator(seed, purpose, "partner").integers(1, num_classes, size=num_classes)
    for label in classes:
        rows = some_rows(np.flatnonzero(labels == label), share, seed, f"{purpose} {label}")
        given[rows] = (label + step[label]) % num_classes
    return given


def some_rows(among: np.ndarray, share: float, seed: int, purpose: str) -> np.ndarray:
    """round(share * m) of m positions, ascending: a larger share keeps those of a smaller one."""
    order = generator(seed, purpose, "rows").permutation(among)
    return np.sort(order[: round(share * len(among))])

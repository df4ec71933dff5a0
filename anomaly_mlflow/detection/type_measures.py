"""F1 of each type and their mean as functions of row weights, so that one pass serves all bootstrap draws."""

import numpy as np

from anomaly_mlflow.detection.measures import Measure

__all__ = ["f1_of", "macro_f1_of", "source_f1_of", "source_recall_of"]


def f1_of(called: np.ndarray, codes: np.ndarray, classes: int) -> Measure:
    """F1 of each class and seed as a function of row weights: (draws, n) -> (draws, seeds, classes).

    called: int64 (seeds, n), the class that each row is called; codes: int64 (n,), the class that it is. A class that
    no row bears and none is called has F1 0.
    """
    is_called = [np.eye(classes)[row] for row in called]
    is_true = np.eye(classes)[codes]

    def measure(weights: np.ndarray) -> np.ndarray:
        wanted = weights @ is_true
        return np.stack([_f1(weights @ (own * is_true), weights @ own, wanted) for own in is_called], axis=1)

    return measure


def macro_f1_of(called: np.ndarray, codes: np.ndarray, classes: int) -> Measure:
    """Unweighted mean of `f1_of` over the classes that some row bears: (draws, n) -> (draws, seeds)."""
    each, present = f1_of(called, codes, classes), np.unique(codes)
    return lambda weights: each(weights)[:, :, present].mean(axis=2)


def source_f1_of(called: np.ndarray, of_source: np.ndarray, of_type: np.ndarray) -> Measure:
    """F1 of one source of a type and seed, (draws, n) -> (draws, seeds), as if all rows of the type were like its own.

    called: bool (seeds, n), rows called the type; of_source, of_type: bool (n,), rows of the source and of the type. A
    false alarm belongs to no source: each source is charged its share of them, its rows by those of the type.
    """
    own = called.astype(np.float64).T

    def measure(weights: np.ndarray) -> np.ndarray:
        wanted = weights[:, of_source].sum(axis=1, keepdims=True)
        hits = weights[:, of_source] @ own[of_source]
        share = wanted / weights[:, of_type].sum(axis=1, keepdims=True)
        return _f1(hits, hits + share * (weights[:, ~of_type] @ own[~of_type]), wanted)

    return measure


def source_recall_of(called: np.ndarray, of_source: np.ndarray) -> Measure:
    """Recall of one source and seed, (draws, n) -> (draws, seeds); arguments as in `source_f1_of`."""
    own = called.astype(np.float64).T
    return lambda weights: weights[:, of_source] @ own[of_source] / weights[:, of_source].sum(axis=1, keepdims=True)


def _f1(hits: np.ndarray, called: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    total = called + wanted
    return np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)

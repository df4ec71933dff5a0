"""Precision at the number of positives as a function of row weights (`measures`)."""

import numpy as np

from anomaly_mlflow.detection.measures import Measure

__all__ = ["precision_at_positives_of"]

Ranked = tuple[np.ndarray, np.ndarray, np.ndarray]


def precision_at_positives_of(scores: np.ndarray, positive: np.ndarray) -> Measure:
    """Share of positive rows among the k highest scores, k the (weighted) number of positive rows: precision = recall.

    scores: float (seeds, n), higher = more suspicious; positive: bool (n,); (draws, n) -> (draws, seeds). Of the tied
    rows at the cut an even share is taken. NaN where no positive row has weight.
    """
    ranked = [_ranked(row, positive) for row in np.atleast_2d(scores)]

    def measure(weights: np.ndarray) -> np.ndarray:
        return np.stack([_at_positives(weights, one) for one in ranked], axis=1)

    return measure


def _ranked(scores: np.ndarray, positive: np.ndarray) -> Ranked:
    """Rows by falling score, whether each is positive, and the position at which each run of equal scores ends."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return order, positive[order], ends


def _counted(weights: np.ndarray, ranked: Ranked) -> tuple[np.ndarray, np.ndarray]:
    """Weight of the positive rows and of all rows down to the end of each run, (draws, runs)."""
    order, positive, ends = ranked
    sorted_weights = weights[:, order]
    return np.cumsum(sorted_weights * positive, axis=1)[:, ends], np.cumsum(sorted_weights, axis=1)[:, ends]


def _at_positives(weights: np.ndarray, ranked: Ranked) -> np.ndarray:
    hits, rows = _counted(weights, ranked)
    total = hits[:, -1]
    found = [np.interp(k, np.append(0, r), np.append(0, h)) for k, r, h in zip(total, rows, hits, strict=True)]
    return np.divide(found, total, out=np.full(len(hits), np.nan), where=total > 0)

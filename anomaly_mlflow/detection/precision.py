"""Average precision and precision at the number of positives as functions of row weights (`measures`)."""

import numpy as np

from anomaly_mlflow.detection.measures import Measure

__all__ = ["average_precision_of", "precision_at_positives_of"]

Ranked = tuple[np.ndarray, np.ndarray, np.ndarray]


def average_precision_of(scores: np.ndarray, positive: np.ndarray) -> Measure:
    """Mean over the positive rows of the precision at their score, of each seed: (draws, n) -> (draws, seeds).

    scores: float (seeds, n), higher = more suspicious; positive: bool (n,). Tied rows are taken together, as in
    scikit-learn's `average_precision_score`. NaN where no positive row has weight.
    """
    ranked = [_ranked(row, positive) for row in np.atleast_2d(scores)]

    def measure(weights: np.ndarray) -> np.ndarray:
        return np.stack([_average_precision(weights, one) for one in ranked], axis=1)

    return measure


def precision_at_positives_of(scores: np.ndarray, positive: np.ndarray) -> Measure:
    """Share of positive rows among the k highest scores, k the (weighted) number of positive rows: precision = recall.

    Shapes as above; of the tied rows at the cut an even share is taken.
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


def _average_precision(weights: np.ndarray, ranked: Ranked) -> np.ndarray:
    hits, rows = _counted(weights, ranked)
    precision = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)
    gained = np.diff(hits, axis=1, prepend=0)
    total = hits[:, -1]
    return np.divide((precision * gained).sum(axis=1), total, out=np.full(len(hits), np.nan), where=total > 0)


def _at_positives(weights: np.ndarray, ranked: Ranked) -> np.ndarray:
    hits, rows = _counted(weights, ranked)
    total = hits[:, -1]
    found = [np.interp(k, np.append(0, r), np.append(0, h)) for k, r, h in zip(total, rows, hits, strict=True)]
    return np.divide(found, total, out=np.full(len(hits), np.nan), where=total > 0)

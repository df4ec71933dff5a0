"""AUROC, precision, recall and F1 as functions of row weights, so that one pass serves all bootstrap draws.

A measure maps weights (draws, n) to values (draws, seeds) or (draws, seeds, quantities); weights of one give the plain
value. Scores are (seeds, n): one row per seed of the noisy model, the same samples in the same order in every row.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

__all__ = ["Measure", "auroc", "auroc_of", "difference_of", "rates_of"]

Measure = Callable[[np.ndarray], np.ndarray]


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive row scores above a negative one, ties counting half (Mann and Whitney 1947).

    scores: float (n,), higher = more suspicious; positive: bool (n,). NaN where a class is absent.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return float("nan")
    above = rankdata(scores)[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def auroc_of(scores: np.ndarray, positive: np.ndarray) -> Measure:
    """The AUROC of each seed as a function of row weights: (draws, n) -> (draws, seeds).

    scores: float (seeds, n); positive: bool (n,).
    """
    ordered = [_order(row, positive) for row in np.atleast_2d(scores)]

    def measure(weights: np.ndarray) -> np.ndarray:
        return np.stack([_weighted_auroc(weights, positive, *order) for order in ordered], axis=1)

    return measure


def rates_of(flagged: np.ndarray, positive: np.ndarray) -> Measure:
    """Precision, recall and F1 of each seed as a function of row weights: (draws, n) -> (draws, seeds, 3).

    flagged: bool (seeds, n), rows called positive; positive: bool (n,). A rate of nothing (0 / 0) is 0.
    """
    flags = np.atleast_2d(flagged).astype(np.float64).T

    def measure(weights: np.ndarray) -> np.ndarray:
        hits = weights[:, positive] @ flags[positive]
        called = weights @ flags
        wanted = weights[:, positive].sum(axis=1, keepdims=True)
        precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        return np.stack([precision, hits / wanted, 2 * hits / (called + wanted)], axis=2)

    return measure


def difference_of(first: Measure, second: Measure) -> Measure:
    """The first measure less the second under the same weights: a paired comparison."""
    return lambda weights: first(weights) - second(weights)


def _order(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Negative rows by ascending score; for each positive row, how many of them lie below and how many not above."""
    negatives = np.flatnonzero(~positive)
    negatives = negatives[np.argsort(scores[negatives], kind="stable")]
    ascending = scores[negatives]
    wanted = scores[positive]
    return negatives, np.searchsorted(ascending, wanted, "left"), np.searchsorted(ascending, wanted, "right")


def _weighted_auroc(
    weights: np.ndarray, positive: np.ndarray, negatives: np.ndarray, below: np.ndarray, not_above: np.ndarray
) -> np.ndarray:
    """(draws,): weighted share of (positive, negative) pairs in the right order, ties counting half."""
    reached = np.zeros((len(weights), len(negatives) + 1))
    np.cumsum(weights[:, negatives], axis=1, out=reached[:, 1:])
    chosen = weights[:, positive]
    right = (chosen * (reached[:, below] + reached[:, not_above])).sum(axis=1) / 2
    return right / (chosen.sum(axis=1) * reached[:, -1])

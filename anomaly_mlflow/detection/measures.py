"""AUROC, average precision, precision, recall and F1 as functions of row weights: one pass serves all bootstrap draws.

A measure maps weights (draws, n) to values (draws, seeds) or (draws, seeds, quantities); weights of one give the plain
value. Scores are (seeds, n): one row per seed of the noisy model, the same samples in the same order in every row.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

__all__ = ["Measure", "auroc", "auroc_of", "average_precision_of", "difference_of", "mean_of", "rates_of", "together"]

Measure = Callable[[np.ndarray], np.ndarray]
Order = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


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


def auroc_of(scores: np.ndarray, positive: np.ndarray, fold: np.ndarray) -> Measure:
    """The fold-stratified AUROC of each seed as a function of row weights: (draws, n) -> (draws, seeds).

    scores: float (seeds, n); positive: bool (n,); fold: int64 (n,), where each row was held out. Only (positive,
    negative) pairs of the same fold count: weighted pairs in the right order, ties counting half, summed over folds,
    by all weighted pairs, summed over folds. NaN where no such pair has weight. Scores of different folds come from
    different models and may not be compared: the held-out class is rarer in training, so the level of each model moves
    against its own held-out rows and the AUROC of pooled scores falls below .5 where there is no effect (Parker,
    Guenter and Bedo 2007, Stratification bias in low signal microarray studies).
    """
    members = [np.flatnonzero(fold == number) for number in np.unique(fold)]
    ordered = [[_order(row, positive, rows) for rows in members] for row in np.atleast_2d(scores)]

    def measure(weights: np.ndarray) -> np.ndarray:
        return np.stack([_weighted_auroc(weights, by_fold) for by_fold in ordered], axis=1)

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


def mean_of(values: np.ndarray, among: np.ndarray | None = None) -> Measure:
    """The weighted mean of each seed's values as a function of row weights: (draws, n) -> (draws, seeds).

    values: float or bool (seeds, n); among: bool (n,), the rows that count, by default all. NaN where none has weight.
    """
    rows = np.arange(np.atleast_2d(values).shape[1]) if among is None else np.flatnonzero(among)
    of_rows = np.atleast_2d(values)[:, rows].astype(np.float64).T

    def measure(weights: np.ndarray) -> np.ndarray:
        total = weights[:, rows].sum(axis=1, keepdims=True)
        sums = weights[:, rows] @ of_rows
        return np.divide(sums, total, out=np.full(sums.shape, np.nan), where=total > 0)

    return measure


def average_precision_of(scores: np.ndarray, positive: np.ndarray, fold: np.ndarray) -> Measure:
    """The average precision of each seed as a function of row weights: (draws, n) -> (draws, seeds).

    scores: float (seeds, n); positive: bool (n,); fold: int64 (n,), where each row was held out. Average precision is
    the mean over positive rows of the precision among all rows that score as high or higher (Buckley and Voorhees
    2000), equal to scikit-learn's with these weights; of several folds, the mean over their positive rows, each ranked
    within its own fold (see `auroc_of`). Folds without rows of both classes are left out; NaN where none is left.
    """
    members = [np.flatnonzero(fold == number) for number in np.unique(fold)]
    members = [rows for rows in members if positive[rows].any() and not positive[rows].all()]

    def measure(weights: np.ndarray) -> np.ndarray:
        values = []
        for row in np.atleast_2d(scores):
            precision, wanted = np.zeros(len(weights)), np.zeros(len(weights))
            for rows in members:
                own = weights[:, rows[positive[rows]]]
                precision += (own * _precision_at_positives(row, positive, rows, weights)).sum(axis=1)
                wanted += own.sum(axis=1)
            values.append(np.divide(precision, wanted, out=np.full(len(weights), np.nan), where=wanted > 0))
        return np.stack(values, axis=1)

    return measure


def together(*measures: Measure) -> Measure:
    """Several measures as one of so many quantities, so that a bootstrap draws its weights once for all."""

    def measure(weights: np.ndarray) -> np.ndarray:
        values = [each(weights) for each in measures]
        return np.concatenate([value if value.ndim == 3 else value[:, :, None] for value in values], axis=2)

    return measure


def difference_of(first: Measure, second: Measure) -> Measure:
    """The first measure less the second under the same weights: a paired comparison."""
    return lambda weights: first(weights) - second(weights)


def _order(scores: np.ndarray, positive: np.ndarray, rows: np.ndarray) -> Order:
    """Of these rows the positive ones, the negative ones by ascending score, and for each positive row how many
    negative ones lie below it and how many not above."""
    positives, negatives = rows[positive[rows]], rows[~positive[rows]]
    negatives = negatives[np.argsort(scores[negatives], kind="stable")]
    ascending, wanted = scores[negatives], scores[positives]
    return positives, negatives, np.searchsorted(ascending, wanted, "left"), np.searchsorted(ascending, wanted, "right")


def _precision_at_positives(
    scores: np.ndarray, positive: np.ndarray, rows: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """(draws, positives of these rows): weighted precision of calling positive what scores as high or higher."""
    wanted = scores[rows[positive[rows]]]
    at_least = []
    for side in (True, False):
        own = rows[positive[rows] == side]
        own = own[np.argsort(scores[own], kind="stable")]
        reached = np.zeros((len(weights), len(own) + 1))
        np.cumsum(weights[:, own], axis=1, out=reached[:, 1:])
        at_least.append(reached[:, -1:] - reached[:, np.searchsorted(scores[own], wanted, "left")])
    called = at_least[0] + at_least[1]
    return np.divide(at_least[0], called, out=np.zeros_like(called), where=called > 0)


def _weighted_auroc(weights: np.ndarray, by_fold: list[Order]) -> np.ndarray:
    """(draws,): weighted share of the (positive, negative) pairs within folds that stand in the right order."""
    right, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for positives, negatives, below, not_above in by_fold:
        reached = np.zeros((len(weights), len(negatives) + 1))
        np.cumsum(weights[:, negatives], axis=1, out=reached[:, 1:])
        chosen = weights[:, positives]
        right += (chosen * (reached[:, below] + reached[:, not_above])).sum(axis=1) / 2
        pairs += chosen.sum(axis=1) * reached[:, -1]
    return np.divide(right, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)

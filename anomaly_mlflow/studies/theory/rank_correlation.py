"""Spearman's rank correlation of what was predicted with what was measured, with bootstrap intervals.

A draw resamples the seeds, then the source groups, as in `detection.statistics`; here all rows are of one side.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import FEWEST_GROUPS, Interval

__all__ = ["correlation_interval", "ends_of", "group_weights", "spearman_of"]

CELLS = 2_000_000  # weights held in memory at a time


def spearman_of(first: np.ndarray, second: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Spearman's correlation (mid-ranks for ties) as a function of row weights: (draws, n) -> (draws,).

    first, second: float (n,). A row of weight w counts as w equal rows; NaN where either is constant.
    """
    ranked = [_mid_ranks(values) for values in (first, second)]

    def measure(weights: np.ndarray) -> np.ndarray:
        x, y = (ranks(weights) for ranks in ranked)
        total = weights.sum(axis=1, keepdims=True)
        # The mean mid-rank of total rows is (total + 1) / 2 whatever the ties.
        x, y = x - (total + 1) / 2, y - (total + 1) / 2
        spread = np.sqrt((weights * x**2).sum(axis=1) * (weights * y**2).sum(axis=1))
        together = (weights * x * y).sum(axis=1)
        return np.divide(together, spread, out=np.full(len(weights), np.nan), where=spread > 0)

    return measure


def correlation_interval(
    predicted: np.ndarray, measured: np.ndarray, groups: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> Interval:
    """Mean over seeds of Spearman's correlation, with its 95 % percentile interval over seeds and source groups.

    predicted: float (n,); measured: float (seeds, n); groups: int64 (n,), rows of one source share a number. Ends are
    NaN for under 5 groups, the value is NaN where a side is constant.
    """
    measures = [spearman_of(predicted, row) for row in measured]
    value = float(np.mean([measure(np.ones((1, len(predicted)))) for measure in measures]))
    if len(np.unique(groups)) < FEWEST_GROUPS:
        return Interval(value, np.nan, np.nan)
    of_rows = [
        np.stack([measure(weights) for measure in measures], axis=1)
        for weights in group_weights(groups, draws, np.random.default_rng(seed))
    ]
    picked = np.random.default_rng(seed + 1).integers(0, len(measures), (draws, len(measures)))
    return ends_of(value, np.take_along_axis(np.concatenate(of_rows), picked, axis=1).mean(axis=1))


def ends_of(value: float, resampled: np.ndarray) -> Interval:
    """The value with the 95 % percentile interval of its resampled values; NaN ends where none is a number."""
    if np.isnan(resampled).all():
        return Interval(value, np.nan, np.nan)
    return Interval(value, *map(float, np.nanquantile(resampled, [0.025, 0.975])))


def group_weights(groups: np.ndarray, draws: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each row is drawn when its groups are drawn with replacement: float64 (some draws, n)."""
    codes, found = pd.factorize(groups)
    step = max(1, CELLS // len(groups))
    for start in range(0, draws, step):
        some = min(step, draws - start)
        picked = generator.integers(0, len(found), (some, len(found))) + len(found) * np.arange(some)[:, None]
        yield np.bincount(picked.ravel(), minlength=some * len(found)).reshape(some, -1)[:, codes].astype(float)


def _mid_ranks(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Mid-rank of each row as a function of weights; the rows of equal values share one."""
    order = np.argsort(values, kind="stable")
    _, start, back = np.unique(values[order], return_index=True, return_inverse=True)
    tie = np.empty(len(values), np.int64)
    tie[order] = back

    def ranks(weights: np.ndarray) -> np.ndarray:
        tied = np.add.reduceat(weights[:, order], start, axis=1)
        return (np.cumsum(tied, axis=1) - (tied - 1) / 2)[:, tie]

    return ranks

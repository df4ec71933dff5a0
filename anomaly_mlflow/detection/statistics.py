"""Bootstrap intervals over seeds and rows, and the rules that read an interval.

A measure holds scores of shape (seeds, n): one row per seed of the noisy model, the same samples in every row. A draw
resamples the seeds, then the rows within each class. Rows are crossed with seeds, so one draw of rows serves all
seeds: drawing them anew for each seed would make intervals too narrow (Owen 2007, The pigeonhole bootstrap, Annals of
Applied Statistics). Models are not refitted: the interval is that of the held-out scores.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.detection.measures import Measure
from anomaly_mlflow.errors import BadData

__all__ = ["Interval", "bootstrap", "equivalent", "exceeds", "interval"]

CELLS = 4_000_000  # weights held in memory at a time


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its percentile interval."""

    value: float
    low: float
    high: float


def bootstrap(measure: Measure, positive: np.ndarray, *, draws: int = 2000, seed: int = 0) -> np.ndarray:
    """Resampled means over seeds of a measure: float64 (draws, ...).

    Raises BadData where a class is absent.
    """
    if positive.all() or not positive.any():
        raise BadData("an interval needs rows of both classes; inject more of the missing type")
    generator = np.random.default_rng(seed)
    return np.concatenate([_over_seeds(measure(w), generator) for w in _row_weights(positive, draws, generator)])


def interval(
    measure: Measure, positive: np.ndarray, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> list[Interval]:
    """Mean over seeds and percentile interval of every quantity of a measure (one, or precision, recall, F1).

    level: two-sided coverage in 0..1. Raises BadData where a class is absent.
    """
    resampled = bootstrap(measure, positive, draws=draws, seed=seed).reshape(draws, -1)
    values = measure(np.ones((1, len(positive)))).mean(axis=1).ravel()
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Interval(*map(float, row)) for row in zip(values, low, high, strict=True)]


def exceeds(interval: Interval, bound: float, *, strict: bool = False) -> bool | None:
    """True where the interval starts at the bound or above it (above it where strict), False where it ends below."""
    if interval.low > bound or (interval.low == bound and not strict):
        return True
    return False if interval.high < bound else None


def equivalent(interval: Interval, low: float, high: float) -> bool | None:
    """Equivalence by two one-sided tests (Schuirmann 1987): the interval against a region.

    True where the whole interval lies in the region, False where it lies wholly outside, None otherwise. An interval
    of level 1 - 2a makes each of the two tests one of size a: 90 % for the usual .05.
    """
    if low <= interval.low and interval.high <= high:
        return True
    return False if interval.low > high or interval.high < low else None


def _row_weights(positive: np.ndarray, draws: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each row is drawn, float64 (some draws, n), stratified by class."""
    step = max(1, CELLS // len(positive))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        weights = np.empty((size, len(positive)))
        for rows in (np.flatnonzero(positive), np.flatnonzero(~positive)):
            weights[:, rows] = _multiplicities(size, len(rows), generator)
        yield weights


def _multiplicities(draws: int, n: int, generator: np.random.Generator) -> np.ndarray:
    picked = generator.integers(0, n, (draws, n)) + n * np.arange(draws)[:, None]
    return np.bincount(picked.ravel(), minlength=draws * n).reshape(draws, n)


def _over_seeds(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(draws, seeds, ...) -> (draws, ...): the mean over seeds drawn with replacement."""
    draws, seeds = values.shape[:2]
    weights = _multiplicities(draws, seeds, generator) / seeds
    return np.einsum("ds,ds...->d...", weights, values)

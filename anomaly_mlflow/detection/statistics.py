"""Bootstrap intervals over seeds and source groups, and the rules that read an interval.

A measure holds scores of shape (seeds, n): one row per seed of the noisy model, the same samples in every row. A draw
resamples the seeds (one fewer than there are, with replacement, where there are several: as many would make their
variance too small by 1 / seeds, McCarthy and Snowden 1985), then within each class the groups; a row comes along as
often as its group, for rows of one source are no independent witnesses (Field and Welsh 2007, Bootstrapping clustered
data, JRSS B). A group with rows of both classes is drawn for each class by itself: where these are alike, the interval
is too wide rather than too narrow.
Groups are crossed with seeds, so one draw of groups serves all seeds: drawing them anew for each seed would make
intervals too narrow (Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics). Models are not refitted: the
interval is that of the held-out scores.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.measures import Measure
from anomaly_mlflow.errors import BadData

__all__ = ["FEWEST_GROUPS", "Interval", "bootstrap", "equivalent", "exceeds", "interval"]

CELLS = 4_000_000  # weights held in memory at a time
FEWEST_GROUPS = 5  # of a class; the fewer there are, the more a percentile interval over them is too narrow


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its percentile interval; ends are NaN where a class has too few groups for one."""

    value: float
    low: float
    high: float


def bootstrap(
    measure: Measure, positive: np.ndarray, groups: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Resampled means over seeds of a measure: float64 (draws, ...), NaN where a draw gives the measure no value.

    positive: bool (n,), or of more than two classes their numbers, int64 (n,): groups are drawn within each class;
    groups: int64 (n,), rows of one source share a number; where all differ, rows are resampled.
    Raises BadData where a class is absent.
    """
    sides = _sides(positive, groups)
    generator = np.random.default_rng(seed)
    return np.concatenate([_over_seeds(measure(w), generator) for w in _row_weights(sides, draws, generator)])


def interval(
    measure: Measure, positive: np.ndarray, groups: np.ndarray, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> list[Interval]:
    """Mean over seeds and percentile interval of every quantity of a measure (one, or precision, recall, F1).

    positive, groups: as in `bootstrap`; a class of under 5 groups leaves the ends NaN. level: two-sided coverage in
    0..1; with few groups the true coverage is lower. Draws without a value (an AUROC for which no fold has rows of
    both classes) are left out. Raises BadData where a class is absent.
    """
    values = measure(np.ones((1, len(positive)))).mean(axis=1).ravel()
    if min(codes.max() + 1 for _, codes in _sides(positive, groups)) < FEWEST_GROUPS:
        return [Interval(float(value), np.nan, np.nan) for value in values]
    resampled = bootstrap(measure, positive, groups, draws=draws, seed=seed).reshape(draws, -1)
    low, high = np.nanquantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Interval(*map(float, row)) for row in zip(values, low, high, strict=True)]


def exceeds(interval: Interval, bound: float, *, strict: bool = False) -> bool | None:
    """True where the interval starts at the bound or above it (above it where strict), False where it ends below.

    None otherwise, also where the ends are NaN.
    """
    if interval.low > bound or (interval.low == bound and not strict):
        return True
    return False if interval.high < bound else None


def equivalent(interval: Interval, low: float, high: float) -> bool | None:
    """Equivalence by two one-sided tests (Schuirmann 1987): the interval against a region.

    True where the whole interval lies in the region, False where it lies wholly outside, None otherwise, also where
    the ends are NaN. An interval of level 1 - 2a makes each of the two tests one of size a: 90 % for the usual .05.
    """
    if low <= interval.low and interval.high <= high:
        return True
    return False if interval.low > high or interval.high < low else None


def _sides(positive: np.ndarray, groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of the positives and of the negatives, or of every class, each with numbers 0, 1, ... of their groups."""
    classes = np.unique(positive)[::-1]
    if len(classes) < 2:
        raise BadData("an interval needs rows of both classes; inject more of the missing type")
    of_class = [np.flatnonzero(positive == one) for one in classes]
    return [(rows, pd.factorize(groups[rows])[0]) for rows in of_class]


def _row_weights(
    sides: list[tuple[np.ndarray, np.ndarray]], draws: int, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """How often each row is drawn, float64 (some draws, n): as often as its group is drawn from those of its side."""
    n = sum(len(rows) for rows, _ in sides)
    step = max(1, CELLS // n)
    for start in range(0, draws, step):
        weights = np.empty((min(step, draws - start), n))
        for rows, codes in sides:
            weights[:, rows] = _multiplicities(len(weights), codes.max() + 1, generator)[:, codes]
        yield weights


def _multiplicities(draws: int, n: int, generator: np.random.Generator, size: int | None = None) -> np.ndarray:
    """How often each of n is among `size` (by default n) drawn with replacement, int64 (draws, n)."""
    picked = generator.integers(0, n, (draws, n if size is None else size)) + n * np.arange(draws)[:, None]
    return np.bincount(picked.ravel(), minlength=draws * n).reshape(draws, n)


def _over_seeds(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(draws, seeds, ...) -> (draws, ...): the mean over seeds drawn with replacement."""
    draws, seeds = values.shape[:2]
    size = max(1, seeds - 1)
    weights = _multiplicities(draws, seeds, generator, size) / size
    return np.einsum("ds,ds...->d...", weights, values)

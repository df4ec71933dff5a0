"""Figures beside their bootstrap draws: any function of them has an interval, and two of them compare as a pair."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.measures import Measure, together
from anomaly_mlflow.detection.statistics import FEWEST_GROUPS, Interval, bootstrap

__all__ = ["Resampled", "beside_each_other", "over_seeds", "resample"]


@dataclass(frozen=True)
class Resampled:
    """value: float by name; draws: (draws, names), all names in the same draws, NaN where there are too few groups."""

    value: pd.Series
    draws: pd.DataFrame

    def interval(self, name: str) -> Interval:
        """95 % percentile interval of one figure; NaN ends without draws."""
        return self.of(lambda figures: figures[name].to_numpy())

    def of(self, function: Callable[[pd.DataFrame], np.ndarray]) -> Interval:
        """95 % percentile interval of a function of the figures: it takes a frame, and gives a number for each row."""
        drawn = np.asarray(function(self.draws), np.float64)
        ends = np.nanquantile(drawn, [0.025, 0.975]) if np.isfinite(drawn).any() else (np.nan, np.nan)
        return Interval(float(np.asarray(function(self.value.to_frame().T))[0]), float(ends[0]), float(ends[1]))


def resample(
    measures: Mapping[str, Measure], positive: np.ndarray, groups: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> Resampled:
    """The mean over seeds of each measure, and its draws over seeds and, within each class, groups of rows.

    measures: of one quantity each; positive, groups: as in `detection.statistics.bootstrap`.
    """
    whole, names = together(*measures.values()), list(measures)
    values = whole(np.ones((1, len(positive)))).mean(axis=1).ravel()
    fewest = min(len(np.unique(groups[positive == one])) for one in np.unique(positive))
    if fewest < FEWEST_GROUPS:
        drawn = np.full((draws, len(names)), np.nan)
    else:
        drawn = bootstrap(whole, positive, groups, draws=draws, seed=seed).reshape(draws, -1)
    return Resampled(pd.Series(values, names), pd.DataFrame(drawn, columns=names))


def beside_each_other(*parts: Resampled) -> Resampled:
    """Figures of different rows as one: their draws are independent of each other."""
    return Resampled(pd.concat([one.value for one in parts]), pd.concat([one.draws for one in parts], axis=1))


def over_seeds(seeds: Sequence[Resampled], seed: int = 0) -> Resampled:
    """Means over seeds that each have rows of their own.

    A draw takes one seed fewer than there are, with replacement (see `detection.statistics`), and of each its own draw
    of rows.
    """
    number, draws, names = len(seeds), len(seeds[0].draws), list(seeds[0].draws.columns)
    size = max(1, number - 1)
    weights = np.random.default_rng(seed).multinomial(size, np.full(number, 1 / number), size=draws) / size
    stacked = np.stack([one.draws[names].to_numpy(np.float64) for one in seeds])
    mixed = np.einsum("ds,sdc->dc", weights, stacked)
    return Resampled(sum(one.value[names] for one in seeds) / number, pd.DataFrame(mixed, columns=names))

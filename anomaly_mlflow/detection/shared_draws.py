"""Bootstrap draws that several trainings share: an image weighs the same in all of them.

Trainings on one data set with errors of their own share most images, so that drawing rows anew for each makes the
interval of their mean too narrow (Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics). But an image may
be clean in one and wrong in another, and whole numbers drawn within each kind could not agree. So each source group
has an exponential weight (Rubin 1981, The Bayesian bootstrap, Annals of Statistics), the same wherever it stands, and
the rows of each kind are scaled to as many as they are.
"""

from collections.abc import Iterator

import numpy as np

from anomaly_mlflow.detection.measures import Measure
from anomaly_mlflow.detection.statistics import FEWEST_GROUPS

__all__ = ["resampled", "shared_weights"]

CELLS = 4_000_000
"""Weights held in memory at a time."""


def resampled(
    measure: Measure,
    kinds: np.ndarray,
    groups: np.ndarray,
    shared: np.ndarray,
    *,
    draws: int = 2000,
    seed: int = 0,
    own_seed: int = 0,
) -> np.ndarray:
    """The quantities of a measure of one training in every draw, float64 (draws, quantities).

    kinds: int64 (n,), rows are drawn within each; groups: int64 (n,), rows of one source; shared, seed, own_seed: as in
    `shared_weights`. NaN throughout where a kind has under 5 groups.
    """
    if min(len(np.unique(groups[kinds == kind])) for kind in np.unique(kinds)) < FEWEST_GROUPS:
        return np.full((draws, measure(np.ones((1, len(kinds)))).size), np.nan)
    parts = shared_weights(kinds, groups, shared, draws=draws, seed=seed, own_seed=own_seed)
    return np.concatenate([measure(weights).reshape(len(weights), -1) for weights in parts])


def shared_weights(
    kinds: np.ndarray, groups: np.ndarray, shared: np.ndarray, *, draws: int, seed: int, own_seed: int
) -> Iterator[np.ndarray]:
    """Weights of the rows, float64 (some draws, n), that sum within each kind to its rows.

    shared: bool (n,), rows whose groups stand in the other trainings too, the same ones in each; by `seed` they weigh
    as much there but for the scale of their kind. The others are drawn by `seed` and `own_seed`.
    """
    sides = []
    for rows, seeds in ((np.flatnonzero(shared), [seed, 0]), (np.flatnonzero(~shared), [seed, 1, own_seed])):
        names, codes = np.unique(groups[rows], return_inverse=True)
        sides.append((rows, len(names), codes, np.random.default_rng(seeds)))
    step = max(1, CELLS // len(kinds))
    for start in range(0, draws, step):
        weights = np.empty((min(step, draws - start), len(kinds)))
        for rows, number, codes, generator in sides:
            weights[:, rows] = generator.exponential(size=(len(weights), number))[:, codes]
        for kind in np.unique(kinds):
            rows = kinds == kind
            weights[:, rows] *= rows.sum() / weights[:, rows].sum(axis=1, keepdims=True)
        yield weights

"""How much a row looks like a planted probe: the score that bounds most closely how many rows do."""

import numpy as np

from anomaly_mlflow.detection.classifiers import folds, held_out_probabilities

__all__ = ["probe_likeness"]

REPEATS = 5


def probe_likeness(
    X: np.ndarray, probe: np.ndarray, untouched: np.ndarray, groups: np.ndarray, seed: int
) -> np.ndarray:
    """Held-out probability of being a probe, float64 (n,), NaN for rows that are neither; mean of five draws of folds.

    X: float (n, signals); probe, untouched: bool (n,); groups: int64 (n,), not split by folds. Logistic regression on
    all signals. It ranks errors worse than the mean rank of three, and tells probes apart better: the bound that
    `probe_share` gives is the tighter for it (Blanchard, Lee and Scott 2010, JMLR 11: tight for the likelihood ratio).
    Raises BadData where the probes come from too few groups.
    """
    rows = np.flatnonzero(probe | untouched)
    found = np.zeros(len(rows))
    for repeat in range(REPEATS):
        fold = folds(probe[rows], groups[rows], seed + repeat)
        found += held_out_probabilities(X[rows], probe[rows], fold) / REPEATS
    likeness = np.full(len(X), np.nan)
    likeness[rows] = found
    return likeness

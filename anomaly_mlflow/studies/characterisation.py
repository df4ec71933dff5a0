"""Whether a flagged row is called by its kind, and whether the repaired label is the true one: counts, and shares."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from anomaly_mlflow.detection.contamination import flag
from anomaly_mlflow.detection.shared_draws import resampled
from anomaly_mlflow.detection.statistics import Interval

__all__ = ["Counted", "characterisation_rows", "count_draws", "counts_of", "repair_rows", "share"]

MISLABELLED, ANOMALY = 1, 2

Counted = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Name of a share -> the rows that are hits and the rows of which they are a part, bool (n,) each."""


def characterisation_rows(
    cfrank: np.ndarray, called_mislabelled: np.ndarray, kinds: np.ndarray, contamination: float
) -> Counted:
    """Of the true errors among the floor(contamination * n) highest by CFRank, those called by their kind, and all.

    cfrank: float (n,); called_mislabelled: bool (n,), else a row is called an anomaly; kinds: as `kinds_of` gives them.
    Pooled, and by kind where there are such rows. Equal ranks: the first rows count.
    """
    budget = int(np.floor(contamination * len(cfrank) + 1e-9))
    top = np.zeros(len(cfrank), bool)
    top[np.argsort(-cfrank, kind="stable")[:budget]] = True
    right = called_mislabelled == (kinds == MISLABELLED)
    sets = {"characterisation": kinds > 0, "characterisation_mislabelled": kinds == MISLABELLED}
    sets["characterisation_anomaly"] = kinds == ANOMALY
    return {name: (top & of & right, top & of) for name, of in sets.items() if of.any()}


def repair_rows(cnci: np.ndarray, repair_label: np.ndarray, truth: pd.DataFrame, contamination: float) -> Counted:
    """Of the mislabelled rows that CNCI flags, those repaired to the true label, and all; empty without any."""
    wrong = truth["mislabelled"].to_numpy()
    found = wrong & flag(cnci, contamination)
    return {"repair": (found & (repair_label == truth["true_label"].to_numpy()), found)} if wrong.any() else {}


def counts_of(counted: Counted) -> dict[str, tuple[int, int]]:
    """The number of hits, and of what."""
    return {name: (int(hits.sum()), int(of.sum())) for name, (hits, of) in counted.items()}


def count_draws(
    counted: Counted, kinds: np.ndarray, groups: np.ndarray, shared: np.ndarray, **how: int
) -> pd.DataFrame:
    """Both numbers in the draws of `resampled`, whose arguments follow; columns NAME.hits and NAME.of."""
    columns = [f"{name}.{part}" for name in counted for part in ("hits", "of")]
    masks = np.array([mask for pair in counted.values() for mask in pair], np.float64).reshape(-1, len(kinds))
    return pd.DataFrame(resampled(lambda weights: weights @ masks.T, kinds, groups, shared, **how), columns=columns)


def share(hits: int, of: int, variance: float = 0.0) -> Interval:
    """The share with its 95 % interval by Wilson (1927) at the effective number of rows; NaN of none.

    variance: of the share where rows depend on each other. As many independent rows as have this variance, at most
    `of`, stand in the formula (Kish 1965; Franco et al. 2019, Journal of Survey Statistics and Methodology); 0 or NaN:
    all of them.
    """
    if not of:
        return Interval(float("nan"), float("nan"), float("nan"))
    p, z = hits / of, norm.ppf(0.975)
    rows = min(of, p * (1 - p) / variance) if variance > 0 and 0 < hits < of else of
    centre, half = p + z**2 / (2 * rows), z * np.sqrt(p * (1 - p) / rows + z**2 / (4 * rows**2))
    low, high = (np.clip((centre + side * half) / (1 + z**2 / rows), 0, 1) for side in (-1, 1))
    return Interval(p, float(low), float(high))

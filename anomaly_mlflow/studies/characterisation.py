"""Whether a flagged row is called by its kind, and whether the repaired label is the true one: counts, and shares."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from anomaly_mlflow.detection.contamination import flag
from anomaly_mlflow.detection.statistics import Interval

__all__ = ["characterisation_counts", "repair_counts", "share"]

MISLABELLED, ANOMALY = 1, 2


def characterisation_counts(
    cfrank: np.ndarray, called_mislabelled: np.ndarray, kinds: np.ndarray, contamination: float
) -> Mapping[str, tuple[int, int]]:
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
    return {name: (int((top & of & right).sum()), int((top & of).sum())) for name, of in sets.items() if of.any()}


def repair_counts(
    cnci: np.ndarray, repair_label: np.ndarray, truth: pd.DataFrame, contamination: float
) -> Mapping[str, tuple[int, int]]:
    """Of the mislabelled rows that CNCI flags, those repaired to the true label, and all; empty without any."""
    wrong = truth["mislabelled"].to_numpy()
    found = wrong & flag(cnci, contamination)
    right = repair_label == truth["true_label"].to_numpy()
    return {"repair": (int((found & right).sum()), int(found.sum()))} if wrong.any() else {}


def share(hits: int, of: int) -> Interval:
    """The share with its 95 % interval by Wilson (1927); NaN of none. Rows count as independent of each other."""
    if not of:
        return Interval(float("nan"), float("nan"), float("nan"))
    ends = binomtest(hits, of).proportion_ci(method="wilson")
    return Interval(hits / of, float(ends.low), float(ends.high))

"""Area under the margin beside that of rows whose label nothing in the image supports (Pleiss et al. 2020)."""

import numpy as np
from scipy.special import expit

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.training.threshold_samples import ThresholdRun

__all__ = ["aum_threshold", "below_threshold"]

PERCENTILE = 99
"""Of the threshold rows' areas (Pleiss et al. 2020, section 4): the same share of mislabelled rows is to lie below."""


@cleaner(("threshold_runs",), "training", "Pleiss et al. (2020), NeurIPS 33", repairs=False)
def aum_threshold(evidence: Evidence, *, seed: int) -> Cleaned:
    """Keep what lies above the 99th percentile of the threshold rows in any training in which it was none of them.

    trust: logistic function of (area - cut) / (standard deviation of the judged areas), mean over these trainings: it
    ranks, and is no probability. Nothing is drawn. Raises BadData where a row was a threshold row in every training.
    """
    runs = evidence.threshold_runs
    judged = ~np.stack([run.threshold for run in runs])
    if not judged.any(axis=0).all():
        raise BadData("some rows were threshold rows in every training; run train_thresholds again")
    below = np.stack([below_threshold(run) for run in runs])
    distance = np.stack([(run.margin.astype(np.float64) - _cut(run)) / _spread(run) for run in runs])
    trust = np.mean(expit(distance), axis=0, where=judged)
    return Cleaned(trust, (judged & ~below).any(axis=0), evidence.labels.copy(), trust)


def below_threshold(run: ThresholdRun) -> np.ndarray:
    """bool (n,): more than 1 % of the threshold rows have a larger area, the rule of the paper's own code."""
    areas = np.sort(run.margin[run.threshold])
    larger = len(areas) - np.searchsorted(areas, run.margin, side="right")
    return larger / len(areas) > 1 - PERCENTILE / 100


def _cut(run: ThresholdRun) -> float:
    return float(np.percentile(run.margin[run.threshold].astype(np.float64), PERCENTILE))


def _spread(run: ThresholdRun) -> float:
    return float(run.margin[~run.threshold].std(dtype=np.float64)) or 1.0

"""Likelihood ratio test of the given label against the predicted one (LRT, PLC)."""

import numpy as np
from scipy.special import expit

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import late_log_odds_of

__all__ = ["critical_value", "likelihood_ratio"]

FIRST, STEP, LAST, FEW = 0.3, 0.1, 0.9, 0.001


@cleaner(
    ("recording",), "training", "Zheng et al. (2020), ICML (LRT); Zhang et al. (2021), ICLR (PLC, algorithm 1); offline"
)
def likelihood_ratio(evidence: Evidence, *, seed: int) -> Cleaned:
    """Kept where f_y / max f reaches the critical value, otherwise argmax f; trust = f_y / (f_y + max_{c != y} f_c).

    f = mean probability over the late half of the recording, where the paper averages the last epochs and trains on
    with what it has corrected: here there is one pass. The trust has the order of the ratio, and tells apart the rows
    whose ratio is 1.
    """
    suggested, log_odds = late_log_odds_of(evidence.recording)
    ratio = np.exp(-np.maximum(log_odds, 0))
    kept = ratio >= critical_value(ratio)
    return Cleaned(
        expit(-log_odds),
        kept,
        np.where(kept, evidence.labels, suggested),
        expit(np.where(kept, -log_odds, log_odds)),
    )


def critical_value(ratio: np.ndarray) -> float:
    """.3, or .1 more as long as it corrects fewer than one row in a thousand, up to .9; ratio: float (n,), 0 to 1."""
    value = FIRST
    while value < LAST and (ratio < value).sum() < FEW * len(ratio):
        value = min(round(value + STEP, 1), LAST)
    return value

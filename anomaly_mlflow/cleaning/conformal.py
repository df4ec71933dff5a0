"""Wrong labels flagged at a level of false discoveries, by the rank of each among labels that are known to be right.

The rule is Bates et al. (2023), Annals of Statistics 51(1): conformal p-values and the procedure of Benjamini and
Hochberg; to noisy labels it was carried by Yu, Ma and Liu (2023), ICML (BHN), of whose text the abstract was at hand.
The level holds where the calibration rows are a random sample of the right ones of the same class: checked by people
who were handed rows at random, never rows that looked right or on which several people agree. Those are easier than
right ones at large, and right but hard labels stand out among them (simulated in tests/cleaning/test_conformal.py).
"""

import numpy as np
from scipy.stats import false_discovery_control

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.base import find
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["LEVEL", "class_conditional_p_values", "conformal_fdr", "conformal_p_values"]

LEVEL = 0.1
"""Share of right labels among the flagged ones that is borne on average."""

LEAST = 500
"""Calibration rows from which on a class has p-values of its own; the rows of smaller classes are ranked among all.

The smallest p-value of m rows is 1 / (m + 1): of fewer, nothing could be flagged at the level unless a fiftieth of all
rows or more stood out as far as that.
"""


@cleaner(
    ("out_of_fold", "trusted"),
    "reference",
    "Yu, Ma and Liu (2023), ICML (BHN); Bates et al. (2023), Annals of Statistics 51",
    reconstruction=True,
    repairs=False,
)
def conformal_fdr(evidence: Evidence, *, seed: int) -> Cleaned:
    """Flag the labels whose out-of-fold 1 - p_y stands out among trusted rows, at a false-discovery rate of 10 %.

    trust: the p-value, so that 0.03 means that 3 in 100 right labels look as bad; it is no probability of being right.
    Trusted rows are never judged: trust 1, kept. Nothing is drawn. Raises BadData where no row is trusted.
    """
    trusted = evidence.trusted
    if not trusted.any():
        raise BadData("no row is trusted: conformal_fdr ranks labels among some that somebody has checked")
    scores, judged, trust = find("self_confidence")(evidence), ~trusted, np.ones(len(trusted))
    trust[judged] = class_conditional_p_values(
        scores[judged], evidence.labels[judged], scores[trusted], evidence.labels[trusted]
    )
    kept = trusted.copy()
    if judged.any():
        kept[judged] = false_discovery_control(trust[judged]) > LEVEL
    return Cleaned(trust, kept, evidence.labels.copy(), trust)


def conformal_p_values(scores: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """(1 + number of calibration scores >= s) / (1 + their number) for each score, float64 (n,).

    scores: float (n,), higher = more suspicious; calibration: float (m,), of rows whose label is right.
    """
    larger = len(calibration) - np.searchsorted(np.sort(calibration), scores, side="left")
    return (1 + larger) / (1 + len(calibration))


def class_conditional_p_values(
    scores: np.ndarray, labels: np.ndarray, calibration: np.ndarray, calibration_labels: np.ndarray
) -> np.ndarray:
    """`conformal_p_values` within each given label (Mondrian), float64 (n,).

    Labels with fewer than 500 calibration rows are ranked among the rows of all labels: there the level holds only as
    far as the classes are equally hard.
    """
    values = conformal_p_values(scores, calibration)
    for label in np.unique(labels):
        own = calibration[calibration_labels == label]
        if len(own) >= LEAST:
            values[labels == label] = conformal_p_values(scores[labels == label], own)
    return values

"""Influence of a row's gradient in the last layer on a reference set, over saved states of the training (TracIn).

I_ij = sum_t η_t (a_i · a_j + 1)(e_i · e_j), i = row, j = reference sample, t = up to five saved states of the noisy
model, η = learning rate, a = input of the last layer, e = p - onehot(label). Positive: training on i lowers the loss of
j. J = all reference samples (test samples with their labels, never trained on), J_c those of class c, y = given label;
PIL_c and NIL_c = sums of the positive and of the negative I in J_c. influence_bias=no leaves out the + 1,
influence_norm=cosine divides each gradient by its norm.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = [
    "absolute_influence",
    "cfrank",
    "cnci",
    "gd_class",
    "marginal_influence",
    "negative_influence",
    "pcid",
    "positive_influence",
    "self_influence",
    "strongest_opposition",
]

TRACES = ("traces",)
FAR = (AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)  # few of these are learnt by heart
LABEL_ERRORS = (AnomalyType.NEAR_MISS, *FAR)
TRACIN = "Pruthi, Liu, Kale and Sundararajan (2020), NeurIPS (TracIn)"
COMPARISON = "A Comparative Analysis of Influence Signals for Data Debugging (2024), arXiv:2506.11584"
GLITCHES = "Data Glitches Discovery using Influence-based Model Explanations (2025), KDD"
IN_CLASS = "nrd"


@signal("influence", TRACES, LABEL_ERRORS, TRACIN, "nd")
def self_influence(evidence: Evidence) -> np.ndarray:
    """I_ii = sum_t η_t (|a_i|^2 + 1) |e_i|^2."""
    return evidence.influence.si


@signal("influence", TRACES, LABEL_ERRORS, f"{COMPARISON} (AAI, there the mean)", IN_CLASS)
def absolute_influence(evidence: Evidence) -> np.ndarray:
    """Sum of |I| over J."""
    return evidence.influence.mai


@signal("influence", TRACES, (AnomalyType.GROSS,), COMPARISON, "ndC")
def marginal_influence(evidence: Evidence) -> np.ndarray:
    """-(sum of I over J): harm less help."""
    return evidence.influence.mi


@signal("influence", TRACES, LABEL_ERRORS, GLITCHES, IN_CLASS)
def positive_influence(evidence: Evidence) -> np.ndarray:
    """Sum of the positive I over J."""
    return evidence.influence.mpi


@signal("influence", TRACES, LABEL_ERRORS, "Nguyen-Duc et al. (2023), arXiv:2305.01384 (GD-class)", "ndC")
def gd_class(evidence: Evidence) -> np.ndarray:
    """-min_c (sum of I over J_c): harm to the class that is harmed most, less what helps it."""
    return evidence.influence.gd_class


@signal("influence", TRACES, (AnomalyType.GROSS,), GLITCHES, IN_CLASS)
def negative_influence(evidence: Evidence) -> np.ndarray:
    """-NIL_y: harm to the given class.

    e_i · e_j is never negative for equal labels, so this is 0 wherever no embedding has a negative entry (after a
    ReLU), and else tells of rows whose embedding points away from the class.
    """
    return evidence.influence.nil


@signal("influence", TRACES, LABEL_ERRORS, GLITCHES, IN_CLASS)
def strongest_opposition(evidence: Evidence) -> np.ndarray:
    """-min_c NIL_c: harm to the class that is harmed most."""
    return evidence.influence.nil_opt


@signal("influence", TRACES, FAR, GLITCHES, IN_CLASS)
def cnci(evidence: Evidence) -> np.ndarray:
    """NIL_y in the last state under the label argmin_c NIL_c: near 0, the most, where that label would do y no harm.

    That label is `influence_repair_label` in `suggestions.parquet`, and the repair label of the glitch study.
    """
    return evidence.influence.cnci


@signal("influence", TRACES, (AnomalyType.OOD,), GLITCHES, IN_CLASS)
def pcid(evidence: Evidence) -> np.ndarray:
    """-ln(sum of the positive I * max_c |PIL_c - PIL'_c| + 1e-12), PIL' in the last state under another label.

    That label is the class with the second largest PIL; without the logarithm, PCID spans twelve decades. High where
    the model learnt a row without any others: it finds strangers that share one label, and strangers whose labels are
    random at most where they are embedded far from every class.
    """
    return np.log(evidence.influence.pcid)


@signal("influence", TRACES, (*FAR, AnomalyType.OOD), GLITCHES, IN_CLASS)
def cfrank(evidence: Evidence) -> np.ndarray:
    """The larger of the ranks of cnci and pcid, 0 .. 1: strangers only as pcid finds them."""
    return evidence.influence.cfrank

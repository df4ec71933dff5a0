"""How badly the given label fits the outputs of the final noisy model.

p = softmax of the evaluation pass, y = the given label.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["label_margin", "label_rank", "loss"]

NEEDS = ("logits",)
MISFITS = MADE[1:]
FAR_LABELS = (AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)


@signal("label", NEEDS, MISFITS, "Han et al. (2018), NeurIPS (small-loss criterion)")
def loss(evidence: Evidence) -> np.ndarray:
    """Cross-entropy of the given label on the evaluation pass, -ln p_y, in nats."""
    return -of_given_label(evidence.log_probabilities, evidence.labels)


@signal("label", NEEDS, MISFITS, "Northcutt, Jiang and Chuang (2021), JAIR 70 (margin); in-sample here")
def label_margin(evidence: Evidence) -> np.ndarray:
    """max_{c != y} p_c - p_y, in -1 .. 1: above 0 another class is predicted."""
    p = evidence.probabilities
    return others_only(p, evidence.labels).max(axis=1) - of_given_label(p, evidence.labels)


@signal("label", NEEDS, FAR_LABELS, "this project; rank of the given label among the outputs")
def label_rank(evidence: Evidence) -> np.ndarray:
    """Number of classes whose logit is above that of the given label, 0 .. C - 1."""
    own = of_given_label(evidence.logits, evidence.labels)
    return (evidence.logits > own[:, None]).sum(axis=1)

"""Prototypes in the noisy model's own embedding (part of the family `representation`).

z = embedding scaled to length 1; mu_c = sum of z over the other rows labelled c, scaled to length 1.
"""

import numpy as np
from sklearn.preprocessing import normalize

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import others_only

__all__ = ["prototype_margin", "prototype_margin_of"]

LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
FARTHEST = 2.0


@signal("representation", ("embeddings",), LABEL_ERRORS, "after Snell et al. (2017), NeurIPS (prototypes)", "nCd")
def prototype_margin(evidence: Evidence) -> np.ndarray:
    """d(z, mu_y) - min_{c != y} d(z, mu_c), cosine distances, y the given label: above 0 another class is nearer.

    A class without (other) rows is at the largest distance, 2.
    """
    return prototype_margin_of(evidence.unit, evidence.labels, evidence.num_classes)


def prototype_margin_of(unit: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """float64 (n,): the signal of embeddings of length 1, float (n, d), and their labels."""
    members = np.eye(num_classes)[labels]
    sums, count = members.T @ unit, members.sum(axis=0)
    distance = np.where(count > 0, 1 - unit @ normalize(sums).T, FARTHEST)
    own = 1 - (unit * normalize(sums[labels] - unit)).sum(axis=1)
    return np.where(count[labels] > 1, own, FARTHEST) + others_only(-distance, labels).max(axis=1)

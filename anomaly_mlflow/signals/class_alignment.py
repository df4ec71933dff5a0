"""Agreement with the main direction of the given class (part of the family `representation`)."""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["fine_alignment"]

FAR_TYPES = (AnomalyType.GROSS, AnomalyType.RANDOM_FLIP, AnomalyType.OOD)


@signal("representation", ("embeddings",), FAR_TYPES, "Kim et al. (2021), NeurIPS (FINE)", "nd^2 + Cd^3")
def fine_alignment(evidence: Evidence) -> np.ndarray:
    """1 - |<u_y, z>|: u_y = first right singular vector of the (uncentred) embeddings with the given label,
    z = embedding scaled to length 1.
    """
    embeddings = evidence.embeddings.astype(np.float64)
    values = np.empty(len(embeddings))
    for label in np.unique(evidence.labels):
        members = evidence.labels == label
        _, vectors = np.linalg.eigh(embeddings[members].T @ embeddings[members])
        values[members] = 1 - np.abs(evidence.unit[members] @ vectors[:, -1])
    return values

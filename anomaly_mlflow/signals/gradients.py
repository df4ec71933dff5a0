"""How the input gradient of the given label moved over training (part of the family `dynamics`)."""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["variance_of_gradients"]


UNSETTLED = (AnomalyType.HARD, AnomalyType.OOD)


@signal("dynamics", ("gradient_spread",), UNSETTLED, "Agarwal, D'souza and Hooker (2022), CVPR (VoG)", "n")
def variance_of_gradients(evidence: Evidence) -> np.ndarray:
    """(v - mean_y v) / std_y v, where v = mean over pixels of std_t of d logit_y / d pixel, t = snapshots of training.

    Mean and population deviation are those of the rows with the same given label; 0 where these are all alike.
    """
    values, labels = evidence.gradient_spread.astype(np.float64), evidence.labels
    centred = values - _class_mean(values, labels)
    deviation = np.sqrt(_class_mean(centred**2, labels))
    alike = deviation <= 1e-12 * np.abs(values)
    return np.where(alike, 0.0, centred / np.where(alike, 1.0, deviation))


def _class_mean(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,): for each row the mean over the rows of its label."""
    count = np.maximum(np.bincount(labels), 1)
    return (np.bincount(labels, values) / count)[labels]

"""How badly the given label fits the outputs of the final noisy model."""

import numpy as np
from scipy.special import log_softmax

from anomaly_mlflow.anomalies.types import MADE
from anomaly_mlflow.signals.base import Evidence, signal

__all__ = ["loss"]

MISFITS = MADE[1:]


@signal("label", ("logits",), MISFITS, "Han et al. (2018), NeurIPS (small-loss criterion)")
def loss(evidence: Evidence) -> np.ndarray:
    """Cross-entropy of the given label on the evaluation pass, -ln p_y, in nats."""
    log_probabilities = log_softmax(evidence.logits.astype(np.float64), axis=1)
    return -log_probabilities[np.arange(len(evidence.labels)), evidence.labels]

"""The part of an embedding that the rest of the data does not span, against the logits (part of the family `ood`)."""

import numpy as np
from scipy.special import logsumexp

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["vim"]


@signal("ood", ("logits", "embeddings", "head"), (AnomalyType.OOD,), "Wang et al. (2022), CVPR (ViM)", "nd^2 + d^3")
def vim(evidence: Evidence) -> np.ndarray:
    """alpha r - ln sum_c exp(l_c): r = length of a - u outside the principal space, u = -pinv(W) b,
    alpha = mean max logit / mean r.

    The principal space is spanned by the first d // 2 eigenvectors of the second moment of a - u over all rows
    (OpenOOD takes 256 of 512, the paper 1,000 of 2,048); a = embedding, W and b = weight and bias of the head.
    """
    logits = evidence.logits.astype(np.float64)
    origin = -np.linalg.pinv(evidence.head.weight.astype(np.float64)) @ evidence.head.bias
    residual = np.linalg.norm(_outside(evidence.embeddings - origin), axis=1)
    mean = residual.mean()
    alpha = logits.max(axis=1).mean() / mean if mean > 0 else 0.0
    return alpha * residual - logsumexp(logits, axis=1)


def _outside(centred: np.ndarray) -> np.ndarray:
    """Coordinates in the complement of the principal space, (n, d - d // 2)."""
    dimensions = centred.shape[1]
    _, vectors = np.linalg.eigh(centred.T @ centred)  # ascending
    return centred @ vectors[:, : dimensions - dimensions // 2]

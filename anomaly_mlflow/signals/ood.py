"""Scores made for strangers, from the outputs of the final noisy model; none sees the given label.

l = logits, p = softmax(l), a = embedding (input of the head), C classes. Definitions as in OpenOOD (Zhang et al., 2023,
arXiv:2306.09301), whose scores are high for familiar images: here all are turned. `virtual_logit` has its own file.
"""

import numpy as np
from scipy.special import logsumexp, rel_entr, softmax

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["energy", "gen", "grad_norm", "layout_blindness", "max_logit"]

LARGEST, EXPONENT = 100, 0.1  # M and gamma of Liu et al. (2023)
UNSURE = (AnomalyType.HARD, AnomalyType.OOD)
PATCHES = "Naseer et al. (2021), NeurIPS (patches in other places); the score is our own"


@signal("ood", ("logits",), UNSURE, "Liu et al. (2020), NeurIPS (energy)")
def energy(evidence: Evidence) -> np.ndarray:
    """Free energy at temperature 1, -ln sum_c exp(l_c)."""
    return -logsumexp(evidence.logits.astype(np.float64), axis=1)


@signal("ood", ("logits",), UNSURE, "Hendrycks et al. (2022), ICML (maximum logit)")
def max_logit(evidence: Evidence) -> np.ndarray:
    """-max_c l_c."""
    return -evidence.logits.max(axis=1)


@signal("ood", ("logits",), UNSURE, "Liu, Lochman and Zach (2023), CVPR (GEN)")
def gen(evidence: Evidence) -> np.ndarray:
    """Generalised entropy, the sum of (p_c (1 - p_c))^0.1 over the 100 largest p_c."""
    largest = np.sort(evidence.probabilities, axis=1)[:, -LARGEST:]
    return ((largest * (1 - largest)) ** EXPONENT).sum(axis=1)


@signal("ood", ("logits", "embeddings"), UNSURE, "Huang, Geng and Li (2021), NeurIPS (GradNorm)", "nC + nd")
def grad_norm(evidence: Evidence) -> np.ndarray:
    """-||a||_1 sum_c |C p_c - 1|: the negated L1 norm of the gradient of sum_c -ln p_c by the head's weights."""
    probabilities = evidence.probabilities
    output = np.abs(probabilities.shape[1] * probabilities - 1).sum(axis=1)
    return -np.abs(evidence.embeddings).sum(axis=1, dtype=np.float64) * output


@signal("ood", ("logits", "rearranged"), (AnomalyType.OOD,), PATCHES, "orders nC")
def layout_blindness(evidence: Evidence) -> np.ndarray:
    """-JS(p, q), Jensen-Shannon divergence negated, in nats; q: mean prediction with the image's 16 parts moved about.

    What has no layout (noise, texture, an image that is shuffled already) is predicted alike however its parts lie.
    """
    q = softmax(evidence.rearranged.astype(np.float64), axis=2).mean(axis=0)
    middle = (evidence.probabilities + q) / 2
    return -(rel_entr(evidence.probabilities, middle) + rel_entr(q, middle)).sum(axis=1) / 2

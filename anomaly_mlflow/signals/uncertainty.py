"""How unsure the final noisy model is; no signal of this family sees the given label.

All are (n,) and higher where the model is less sure. Entropies are in nats. p = softmax of the evaluation pass,
p_k = softmax of the k-th stochastic pass, pbar = mean over k of p_k.
"""

import numpy as np
from scipy.special import entr

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = [
    "confidence",
    "entropy",
    "expected_entropy",
    "mutual_information",
    "stochastic_variance",
    "top2_margin",
]

UNSURE = (AnomalyType.HARD, AnomalyType.OOD)


@signal("uncertainty", ("logits",), UNSURE, "Shannon (1948), Bell System Technical Journal 27")
def entropy(evidence: Evidence) -> np.ndarray:
    """Predictive entropy, -sum_c p_c ln p_c."""
    return entr(evidence.probabilities).sum(axis=1)


@signal("uncertainty", ("logits",), UNSURE, "Hendrycks and Gimpel (2017), ICLR (maximum softmax probability)")
def confidence(evidence: Evidence) -> np.ndarray:
    """Lack of confidence, 1 - max_c p_c."""
    return 1 - evidence.probabilities.max(axis=1)


@signal("uncertainty", ("logits",), UNSURE, "Scheffer, Decomain and Wrobel (2001), IDA (margin sampling)")
def top2_margin(evidence: Evidence) -> np.ndarray:
    """Lack of margin, 1 - (p_(1) - p_(2)) of the two most probable classes."""
    ordered = np.sort(evidence.probabilities, axis=1)
    return 1 - (ordered[:, -1] - ordered[:, -2])


@signal("uncertainty", ("stochastic",), (AnomalyType.HARD,), "Gal and Ghahramani (2016), ICML (MC dropout)")
def stochastic_variance(evidence: Evidence) -> np.ndarray:
    """Spread of the stochastic passes, mean_c Var_k p_kc (population variance)."""
    return evidence.stochastic_probabilities.var(axis=0, dtype=np.float64).mean(axis=1)


@signal("uncertainty", ("stochastic",), (AnomalyType.HARD,), "Houlsby et al. (2011), arXiv:1112.5745 (BALD)")
def mutual_information(evidence: Evidence) -> np.ndarray:
    """Epistemic part of the entropy, H(pbar) - mean_k H(p_k).

    Strangers are no target: with dropout at the head alone it ranks them below clean rows.
    """
    passes = evidence.stochastic_probabilities
    return entr(passes.mean(axis=0, dtype=np.float64)).sum(axis=1) - _mean_entropy(passes)


@signal("uncertainty", ("stochastic",), UNSURE, "Depeweg et al. (2018), ICML (aleatoric part)")
def expected_entropy(evidence: Evidence) -> np.ndarray:
    """Aleatoric part of the entropy, mean_k H(p_k)."""
    return _mean_entropy(evidence.stochastic_probabilities)


def _mean_entropy(passes: np.ndarray) -> np.ndarray:
    return entr(passes).sum(axis=2, dtype=np.float64).mean(axis=0)

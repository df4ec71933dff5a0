"""FINE: a right label's embedding lies along the main direction of its class."""

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.cleaning.mixture import lower_posterior_by_class
from anomaly_mlflow.signals.class_alignment import fine_alignment
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["fine"]

CONSTANTS = {"max_iter": 100, "tol": 1e-6}
"""Of the mixture in FINE's code."""

KEPT = 0.5


@cleaner(("embeddings",), "embedding", "Kim et al. (2021), NeurIPS (FINE, section 3)", repairs=False)
def fine(evidence: Evidence, *, seed: int) -> Cleaned:
    """Trust = posterior, of two Gaussians for each class, of the one of better alignment |<u_y, z>|; kept above .5.

    It proposes no label. A mixture always finds a less aligned part, on clean labels too.
    """
    trust = lower_posterior_by_class(fine_alignment(evidence), evidence.labels, seed, **CONSTANTS)
    return Cleaned(trust, trust > KEPT, evidence.labels.copy(), trust)

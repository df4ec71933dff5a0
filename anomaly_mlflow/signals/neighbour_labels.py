"""What the given labels of the nearest rows say, in the noisy model's embedding (part of the family `representation`).

SimiFeat's vote: v_c = sum of the cosines of those of the 10 nearest rows that bear the label c. The row itself is one
of the 10, at the extrapolated cosine distance 2 d_1 - d_2 of its two nearest others; a negative cosine does not vote.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["NO_ZERO", "neighbour_rank", "neighbour_vote", "soft_vote", "votes"]

NEEDS = ("embeddings",)
OTHERS = 9
NO_ZERO = 1e-8  # as in SimiFeat's code
LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)


@signal("representation", NEEDS, LABEL_ERRORS, "Zhu, Dong and Liu (2022), ICML (SimiFeat-V)", "n^2 d")
def neighbour_vote(evidence: Evidence) -> np.ndarray:
    """(max_{c != y} v_c - v_y) / sum_c v_c: but for ties above 0 exactly where SimiFeat's vote flags the label y."""
    vote = soft_vote(evidence)
    lead = others_only(vote, evidence.labels).max(axis=1) - of_given_label(vote, evidence.labels)
    return lead / np.maximum(vote.sum(axis=1), NO_ZERO)


@signal("representation", NEEDS, LABEL_ERRORS, "Zhu, Dong and Liu (2022), ICML (SimiFeat-R, rank1)", "n^2 d")
def neighbour_rank(evidence: Evidence) -> np.ndarray:
    """-ln(v_y / ||v||_2 + 1e-8)."""
    vote = soft_vote(evidence)
    length = np.maximum(np.linalg.norm(vote, axis=1), NO_ZERO)
    return -np.log(of_given_label(vote, evidence.labels) / length + NO_ZERO)


def votes(labels: np.ndarray, weights: np.ndarray, num_classes: int) -> np.ndarray:
    """float64 (n, C): weights (n, k) summed by the labels (n, k) that they vote for."""
    row = np.arange(len(labels))[:, None] * num_classes
    return np.bincount((row + labels).ravel(), weights.ravel(), len(labels) * num_classes).reshape(-1, num_classes)


def soft_vote(evidence: Evidence, *, of_itself: bool = True) -> np.ndarray:
    """v of each row, float64 (n, C); of_itself: whether the row's own label votes."""
    near = evidence.neighbours
    distance = near.cosine_distance[:, :OTHERS]
    itself = 2 * distance[:, :1] - distance[:, 1:2] if distance.shape[1] > 1 else np.zeros((len(distance), 1))
    labels = np.hstack([evidence.labels[:, None], evidence.labels[near.index[:, :OTHERS]]])
    weights = np.maximum(1 - np.hstack([itself, distance]), 0)
    weights[:, 0] *= of_itself
    return votes(labels, weights, evidence.num_classes)

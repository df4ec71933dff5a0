"""SimiFeat: a label that its nearest rows do not bear is suspicious.

The vote is that of `signals.neighbour_labels`, in the noisy model's embedding, taken once (SimiFeat's default), where
the paper goes on with several rounds of augmented images.
"""

import numpy as np

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.cleaning.noise_transition import noise_transition, probability_right
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.neighbour_labels import NO_ZERO, soft_vote
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["neighbour_rank", "neighbour_vote"]

NEEDS = ("embeddings",)
SOURCE = "Zhu, Dong and Liu (2022), ICML"
AT_THE_ENDS = 0.05
UNANIMOUS = 1 - 1e-9


@cleaner(NEEDS, "embedding", f"{SOURCE} (SimiFeat-V)")
def neighbour_vote(evidence: Evidence, *, seed: int) -> Cleaned:
    """Kept where no other class has more votes than y; trust = (1 + (v_y - max_{c != y} v_c) / sum_c v_c) / 2.

    A tie keeps the label, where SimiFeat's code lets the lower class number win.
    """
    share = _shares(evidence)
    lead = of_given_label(share, evidence.labels) - others_only(share, evidence.labels).max(axis=1)
    return _cleaned(evidence, (1 + lead) / 2, lead >= 0, share)


@cleaner(NEEDS, "embedding", f"{SOURCE} (SimiFeat-R, rank1); noise rates of Zhu, Song and Liu (2021), ICML (HOC)")
def neighbour_rank(evidence: Evidence, *, seed: int) -> Cleaned:
    """Trust = v_y / ||v||_2; of each class the share of rows that is estimated to be wrong, the least trusted, is left.

    The share is 1 - P(true = y | given = y) by `noise_transition`; as in SimiFeat's code 5 % where it is 0, so that
    clean labels are left too, and 95 % where it is 1. A label that every vote supports is kept: where most of a class
    tie at trust 1, SimiFeat's code flags them all.
    """
    share = _shares(evidence)
    length = np.maximum(np.linalg.norm(share, axis=1), NO_ZERO)
    trust = np.minimum(of_given_label(share, evidence.labels) / length, 1)
    transition = noise_transition(evidence.labels, evidence.neighbours.index, evidence.num_classes)
    wrong = 1 - probability_right(*transition, evidence.labels)
    wrong = np.where(wrong <= 0, AT_THE_ENDS, np.where(wrong >= 1, 1 - AT_THE_ENDS, wrong))
    kept = np.ones(len(trust), bool)
    for label in np.unique(evidence.labels):
        members = evidence.labels == label
        kept[members] = trust[members] > np.quantile(trust[members], wrong[label])
    kept |= of_given_label(share, evidence.labels) > UNANIMOUS
    return _cleaned(evidence, trust, kept, share)


def _shares(evidence: Evidence, *, of_itself: bool = True) -> np.ndarray:
    """The votes of each row, float64 (n, C), that sum to 1 where there are any."""
    vote = soft_vote(evidence, of_itself=of_itself)
    return vote / np.maximum(vote.sum(axis=1, keepdims=True), NO_ZERO)


def _cleaned(evidence: Evidence, trust: np.ndarray, kept: np.ndarray, share: np.ndarray) -> Cleaned:
    """A label that is not kept becomes the class of most votes; confidence: share of the votes of the other rows.

    With its own a given label would have a vote ahead of any other that is proposed.
    """
    ahead = share.max(axis=1) > of_given_label(share, evidence.labels)
    labels = np.where(~kept & ahead, share.argmax(axis=1), evidence.labels)
    confidence = of_given_label(_shares(evidence, of_itself=False), labels)
    return Cleaned(trust, kept, labels, np.minimum(confidence, 1))

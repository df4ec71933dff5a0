"""What the given label did over the epochs: margins, probabilities and learning events.

All derive from the logits of the training batches, epochs t = 0 .. T-1; p_ty is the probability of the given label,
"correct" that it was the predicted class. Statistics of the loss itself are in `trajectory`.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import late_log_odds_of

__all__ = [
    "area_under_margin",
    "confidence_variability",
    "first_learnt",
    "forgetting",
    "late_log_odds",
    "mid_entropy",
    "never_learnt",
    "wrong_events",
]

NEEDS = ("recording",)
LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
FAR_LABELS = (AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)


@signal("dynamics", NEEDS, LABEL_ERRORS, "Pleiss et al. (2020), NeurIPS (AUM)", "nCT")
def area_under_margin(evidence: Evidence) -> np.ndarray:
    """Negated mean over all epochs of the given label's logit less the largest other logit."""
    return -evidence.recording.margin.mean(axis=0, dtype=np.float64)


@signal(
    "dynamics",
    NEEDS,
    LABEL_ERRORS,
    "this project; probabilities in place of the logits of Pleiss et al. (2020)",
    "nCT",
    all_logits=True,
)
def late_log_odds(evidence: Evidence) -> np.ndarray:
    """ln of max_{c != y} mean_t p_tc over mean_t p_ty, both means over the late half (epochs from T // 2 on).

    Above 0 the model has believed in another class; `suggested_label` names it.
    """
    return late_log_odds_of(evidence.recording)[1]


@signal("dynamics", NEEDS, (AnomalyType.HARD,), "Toneva et al. (2019), ICLR (forgetting events)", "nCT")
def forgetting(evidence: Evidence) -> np.ndarray:
    """Number of epochs in which a sample that was correct in the epoch before is wrong.

    Finds samples that are learnt and lost again. A label that is never learnt is never forgotten: on label
    errors the raw count is low, which is why `never_learnt` stands beside it and no sentinel is put in.
    """
    correct = evidence.recording.correct
    return (correct[:-1] & ~correct[1:]).sum(axis=0)


@signal("dynamics", NEEDS, (AnomalyType.GROSS,), "Toneva et al. (2019), ICLR (samples never learnt)", "nCT")
def never_learnt(evidence: Evidence) -> np.ndarray:
    """1 where the given label was predicted in no epoch, otherwise 0."""
    return ~evidence.recording.correct.any(axis=0)


@signal("dynamics", NEEDS, LABEL_ERRORS, "Swayamdipta et al. (2020), EMNLP (complement of correctness)", "nCT")
def wrong_events(evidence: Evidence) -> np.ndarray:
    """Number of epochs in which the prediction was not the given label: T less the correctness of a data map."""
    return (~evidence.recording.correct).sum(axis=0)


@signal("dynamics", NEEDS, FAR_LABELS, "Toneva et al. (2019), ICLR (first learnt)", "nCT")
def first_learnt(evidence: Evidence) -> np.ndarray:
    """First epoch in which the given label was predicted; T where it never was."""
    correct = evidence.recording.correct
    return np.where(correct.any(axis=0), correct.argmax(axis=0), len(correct))


@signal("dynamics", NEEDS, (AnomalyType.OOD,), "Shannon (1948), Bell System Technical Journal 27", "nCT")
def mid_entropy(evidence: Evidence) -> np.ndarray:
    """Mean predictive entropy over the middle third of the epochs, T // 3 .. T - T // 3, in nats."""
    entropy = evidence.recording.entropy
    third = len(entropy) // 3
    return entropy[third : len(entropy) - third].mean(axis=0, dtype=np.float64)


@signal("dynamics", NEEDS, (AnomalyType.HARD,), "Swayamdipta et al. (2020), EMNLP (variability)", "nCT")
def confidence_variability(evidence: Evidence) -> np.ndarray:
    """Population standard deviation over t of p_ty, the variability of a data map: high where the model wavers.

    Low on labels that are never fitted, and raised on easy samples where these are learnt slowly.
    """
    return evidence.recording.confidence.std(axis=0, dtype=np.float64)

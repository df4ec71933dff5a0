"""How badly the given label fits what models of other folds say (part of the family `label`).

p = softmax of the out-of-fold logits, y = the given label, H = -sum_c p_c ln p_c. The scores are those of confident
learning, each turned: 1 - cleanlab's label quality; `log_odds` is not one of
them. The models learnt from given labels, wrong ones among them.
"""

import numpy as np
from scipy.special import entr

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.confident_counts import TOLERANCE, confident_class
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["confidence_weighted_entropy", "confident_joint", "log_odds", "normalized_margin", "self_confidence"]

NEEDS = ("out_of_fold",)
MISFITS = MADE[1:]
LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
PAPER = "Northcutt, Jiang and Chuang (2021), JAIR 70"


@signal("label", NEEDS, MISFITS, f"{PAPER} (self-confidence)")
def self_confidence(evidence: Evidence) -> np.ndarray:
    """1 - p_y."""
    return 1 - of_given_label(evidence.out_of_fold_probabilities, evidence.labels)


@signal("label", NEEDS, MISFITS, f"{PAPER} (normalized margin)")
def normalized_margin(evidence: Evidence) -> np.ndarray:
    """1 - (p_y - max_{c != y} p_c + 1) / 2, in 0 .. 1: above 1/2 another class is predicted."""
    p = evidence.out_of_fold_probabilities
    return (1 - of_given_label(p, evidence.labels) + others_only(p, evidence.labels).max(axis=1)) / 2


@signal("label", NEEDS, MISFITS, "this project; the margin of logits in place of Northcutt's of probabilities")
def log_odds(evidence: Evidence) -> np.ndarray:
    """ln of max_{c != y} p_c over p_y: above 0 another class is predicted, and unbounded where y is ruled out."""
    logits = evidence.out_of_fold.astype(np.float64)
    return others_only(logits, evidence.labels).max(axis=1) - of_given_label(logits, evidence.labels)


@signal("label", NEEDS, MISFITS, "Kuan and Mueller (2022), ICML DataPerf (confidence-weighted entropy)")
def confidence_weighted_entropy(evidence: Evidence) -> np.ndarray:
    """1 - ln(1 + x) / x, where x = H / (ln C max(p_y, 1e-6)), with the limit 0 at x = 0.

    Blind to a model that is sure of another class: H goes to 0 there. cleanlab divides by max(x, 1e-6), which turns
    its order over below x = 1e-6 (a label that fits perfectly would come out worst); here the limit is kept.
    """
    p = evidence.out_of_fold_probabilities
    entropy = entr(p).sum(axis=1) / np.log(evidence.num_classes)
    x = entropy / np.maximum(of_given_label(p, evidence.labels), TOLERANCE)
    return 1 - np.where(x > TOLERANCE, np.log1p(x) / np.maximum(x, TOLERANCE), 1 - x / 2)


@signal("label", NEEDS, LABEL_ERRORS, f"{PAPER} (off-diagonal of the confident joint)")
def confident_joint(evidence: Evidence) -> np.ndarray:
    """1 where a class other than y is confident and predicted, otherwise 0.

    Class c is confident where p_c reaches its mean over the rows labelled c, less 1e-6; of several confident classes
    the largest p of all classes counts, confident or not, as in cleanlab. No flag where p_y is the largest, or 1e-6
    short of it (cleanlab's filter `confident_learning`).
    """
    p, labels = evidence.out_of_fold_probabilities, evidence.labels
    guess = confident_class(p, labels)
    favoured = p + TOLERANCE * (np.arange(p.shape[1]) == labels[:, None])
    return (guess >= 0) & (guess != labels) & (favoured.argmax(axis=1) != labels)

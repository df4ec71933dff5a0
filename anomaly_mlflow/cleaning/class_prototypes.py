"""Class prototypes as the cleaner (CPC): reconstructed, since the paper's full text was not at hand.

Kept of it: the prototypes of the classes judge the labels, each class with a threshold of its own. Filled in: w = the
posterior of `small_loss_by_class`; prototype c_k = mean of z over the rows labelled k, weighted by the trust of the
round before, scaled to length 1 (z = embedding of length 1; in the first round the trust is w); trust v = logistic
function of cos(z, c_y), with a slope and a threshold for each class, fitted to w; three rounds. No network is trained.

The losses only weigh and place the thresholds; what is judged is where a row lies among the prototypes.
"""

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.cleaning.mixture import LEAST_ROWS
from anomaly_mlflow.cleaning.small_loss import late_losses, small_loss_posterior
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import of_given_label

__all__ = ["class_prototypes", "prototype_trust"]

ROUNDS, TEMPERATURE, KEPT = 3, 0.1, 0.5


@cleaner(
    ("recording", "embeddings"),
    "training",  # its thresholds are fitted to the losses
    "after Huang et al. (2022), arXiv 2212.10766 (CPC)",
    reconstruction=True,
)
def class_prototypes(evidence: Evidence, *, seed: int) -> Cleaned:
    """Trust = v, kept above .5; other rows take the class of the nearest prototype, confidence softmax(cos / .1)."""
    labels = evidence.labels
    weight = small_loss_posterior(late_losses(evidence.recording), labels, seed)
    trust, cosine = prototype_trust(evidence.unit, labels, weight, evidence.num_classes)
    kept = trust > KEPT
    written = np.where(kept, labels, cosine.argmax(axis=1))
    probability = of_given_label(softmax(cosine / TEMPERATURE, axis=1), written)
    return Cleaned(trust, kept, written, np.where(written == labels, trust, probability))


def prototype_trust(
    unit: np.ndarray, labels: np.ndarray, weight: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """v, float64 (n,), 0 to 1; cosines of the rows to the prototypes, float64 (n, C), -inf for a class without rows.

    unit: float64 (n, d), of length 1; weight: float64 (n,), 0 to 1, the first trust in each label.
    """
    members, trust = np.eye(num_classes)[labels], weight
    for _ in range(ROUNDS):
        prototypes = normalize((members * trust[:, None]).T @ unit)
        cosine = np.where(members.any(axis=0), unit @ prototypes.T, -np.inf)
        trust = _logistic_by_class(of_given_label(cosine, labels), labels, weight)
    return trust, cosine


def _logistic_by_class(cosine: np.ndarray, labels: np.ndarray, weight: np.ndarray) -> np.ndarray:
    trust = _logistic(cosine, weight)
    for label in np.unique(labels):
        members = labels == label
        if members.sum() >= LEAST_ROWS:
            trust[members] = _logistic(cosine[members], weight[members])
    return trust


def _logistic(cosine: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """P(right | cosine) by logistic regression on the soft target; the target itself where it does not rise."""
    spread = cosine.std()
    if spread == 0 or np.ptp(weight) == 0:
        return weight.copy()
    scaled = ((cosine - cosine.mean()) / spread)[:, None]
    model = LogisticRegression().fit(
        np.vstack([scaled, scaled]), np.repeat([1, 0], len(weight)), np.append(weight, 1 - weight)
    )
    return model.predict_proba(scaled)[:, 1] if model.coef_[0, 0] > 0 else weight.copy()

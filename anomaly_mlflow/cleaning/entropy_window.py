"""The loop that the robustness report proposes ("Auto-Cleaning"): intervene while the model still hesitates.

The report finds that the predictive entropy of conflicting labels lies above that of clean ones for some epochs, before
the model has learnt them by heart, and asks to clean then; how, it leaves open. Our reading: at each epoch a mixture of
two Gaussians parts the entropies (mean of the epoch, the one before and the one after); the epoch is the one at which
the parts lie farthest apart, which needs no truth (`studies.memorization_window` does); what lies in the upper part is
dropped. Read off a whole recording: a loop that runs along with the training would know only afterwards that the epoch
was the best one, and would train on without what it dropped. Where the last epoch parts them best there was no window:
what is dropped then is the upper part at the end of the training.
"""

import numpy as np

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.cleaning.small_loss import small_loss_posterior
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["entropy_window", "loss_window", "separation", "window"]

NEEDS = ("recording",)
SOURCE = "this project's reading of its robustness report (section 7.2)"


@cleaner(NEEDS, "training", SOURCE, reconstruction=True)
def entropy_window(evidence: Evidence, *, seed: int) -> Cleaned:
    """Drop the upper part of the predictive entropies at the epoch at which they part best, and predict its labels.

    The report's own quantity. It never sees the given label: a model that is sure of another class is not noticed, and
    hard rows are dropped with the wrong ones.
    """
    return _cleaned(evidence, evidence.recording.entropy, seed)


@cleaner(NEEDS, "training", f"{SOURCE}; loss in place of entropy")
def loss_window(evidence: Evidence, *, seed: int) -> Cleaned:
    """The same with the loss of the given label in place of the entropy: what is gained by seeing the label."""
    return _cleaned(evidence, evidence.recording.loss, seed)


def window(values: np.ndarray, seed: int = 0) -> tuple[int, np.ndarray]:
    """The epoch, counted from 0, at which values (epochs, n) in nats part best, the first of equals; the posterior of
    their lower part, float64 (n,)."""
    smooth = [values[max(0, epoch - 1) : epoch + 2].mean(axis=0, dtype=np.float64) for epoch in range(len(values))]
    parts = [small_loss_posterior(each, None, seed) for each in smooth]
    best = int(np.argmax([separation(each, lower) for each, lower in zip(smooth, parts, strict=True)]))
    return best, parts[best]


def separation(values: np.ndarray, lower: np.ndarray) -> float:
    """|mean - mean| / sqrt((variance + variance) / 2) of the two parts, 0 where no row is in the upper one.

    Ashman, Bird and Zepf (1994), equation 3: above 2 the parts are called clearly apart. lower: float (n,), posterior
    of the lower part.
    """
    if (lower > 0.5).all():
        return 0.0
    means = [np.average(values, weights=weight) for weight in (lower, 1 - lower)]
    variances = [
        np.average((values - mean) ** 2, weights=weight) for mean, weight in zip(means, (lower, 1 - lower), strict=True)
    ]
    return float(abs(means[1] - means[0]) / np.sqrt(np.mean(variances)))


def _cleaned(evidence: Evidence, values: np.ndarray, seed: int) -> Cleaned:
    epoch, trust = window(values, seed)
    record, kept = evidence.recording, trust > 0.5
    labels = np.where(kept, evidence.labels, record.predicted[epoch]).astype(np.int64)
    largest = np.exp(-record.loss[epoch] - np.minimum(record.margin[epoch], 0)).astype(np.float64)
    return Cleaned(trust, kept, labels, np.where(labels == evidence.labels, trust, np.clip(largest, 0, 1)))

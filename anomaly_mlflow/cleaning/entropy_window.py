"""The loop that the robustness report proposes ("Auto-Cleaning"): intervene while the model still hesitates.

The report finds that the predictive entropy of conflicting labels lies above that of clean ones for some epochs, before
the model has learnt them by heart, and asks to clean then; how, it leaves open. Our reading: at each epoch a mixture of
two Gaussians parts the entropies (mean of the epoch, the one before and the one after); the epoch is the one at which
the parts lie farthest apart, which needs no truth (`studies.memorization_window` does); what lies in the upper part is
dropped. Read off a whole recording: a loop that runs along with the training would know only afterwards that the epoch
was the best one, and would train on without what it dropped.
"""

import numpy as np

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.cleaning.two_parts import TwoParts, two_parts
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["entropy_window", "loss_window", "window"]

NEEDS = ("recording",)
SOURCE = "this project's reading of its robustness report (section 7.2)"


@cleaner(NEEDS, "training", SOURCE, reconstruction=True)
def entropy_window(evidence: Evidence, *, seed: int) -> Cleaned:
    """Drop the upper part of the predictive entropies at the epoch at which they part best, and predict its labels.

    The report's own quantity. It never sees the given label: a model that is sure of another class is not noticed.
    """
    return _cleaned(evidence, evidence.recording.entropy)


@cleaner(NEEDS, "training", f"{SOURCE}; loss in place of entropy")
def loss_window(evidence: Evidence, *, seed: int) -> Cleaned:
    """The same with the loss of the given label in place of the entropy: what is gained by seeing the label."""
    return _cleaned(evidence, evidence.recording.loss)


def window(values: np.ndarray) -> tuple[int, TwoParts]:
    """The epoch, counted from 0, at which values (epochs, n) part best, and its parts; the first of equals."""
    parts = [two_parts(values[max(0, epoch - 1) : epoch + 2].mean(axis=0)) for epoch in range(len(values))]
    best = int(np.argmax([part.separation for part in parts]))
    return best, parts[best]


def _cleaned(evidence: Evidence, values: np.ndarray) -> Cleaned:
    epoch, parts = window(values)
    record, trust = evidence.recording, parts.lower
    kept = trust > 0.5
    labels = np.where(kept, evidence.labels, record.predicted[epoch]).astype(np.int64)
    largest = np.exp(-record.loss[epoch] - np.minimum(record.margin[epoch], 0)).astype(np.float64)
    return Cleaned(trust, kept, labels, np.where(labels == evidence.labels, trust, np.clip(largest, 0, 1)))

"""Small loss: a label that the noisy model fits with little loss is likely right.

The loss of a row is its mean over the late half of the recording: before that the network is still untrained and the
losses of all rows are alike; one epoch alone is noisy (its batches, its augmentation); and wrong labels that are
learnt by heart at the end have resisted for some of these epochs. It is the half that `suggested_label` reads.

What the mixture cannot do: on clean labels it still finds an upper part, the hard rows. Under asymmetric noise the
losses of all classes together have one mode, classes of different difficulty are told apart in place of right and
wrong; the variant by class is for that.
"""

import numpy as np
from scipy.special import expit

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.cleaning.mixture import lower_posterior, lower_posterior_by_class
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import late_log_odds_of
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["late_losses", "small_loss", "small_loss_by_class", "small_loss_posterior"]

NEEDS = ("recording",)
SOURCE = "Li, Socher and Hoi (2020), ICLR (DivideMix, section 3.1)"
CONSTANTS = {"max_iter": 10, "tol": 1e-2, "reg_covar": 5e-4}
"""Of the mixture in DivideMix's code."""

KEPT = 0.5
NO_SPREAD = 1e-6
"""Losses that lie closer together, in nats, are equal: logits are recorded in half precision."""


@cleaner(NEEDS, "training", SOURCE)
def small_loss(evidence: Evidence, *, seed: int) -> Cleaned:
    """Trust = posterior of the lower of two Gaussians over the losses of all rows; kept above .5."""
    return _cleaned(evidence, small_loss_posterior(late_losses(evidence.recording), None, seed))


@cleaner(NEEDS, "training", f"{SOURCE}; a mixture for each class: this project")
def small_loss_by_class(evidence: Evidence, *, seed: int) -> Cleaned:
    """`small_loss` with a mixture for each given class; all together where a class has fewer than 50 rows."""
    return _cleaned(evidence, small_loss_posterior(late_losses(evidence.recording), evidence.labels, seed))


def late_losses(recording: Recording | TopRecording) -> np.ndarray:
    """Mean cross-entropy of the given label over the epochs from T // 2 on, float64 (n,), in nats."""
    return recording.loss[recording.epochs // 2 :].mean(axis=0, dtype=np.float64)


def small_loss_posterior(losses: np.ndarray, labels: np.ndarray | None, seed: int = 0) -> np.ndarray:
    """Posterior that a label is right, float64 (n,), 0 to 1, from losses put to 0 .. 1 over the whole set.

    losses: float (n,), in nats; labels: int64 (n,), for a mixture for each class, None for one of all rows. Where the
    losses show no two groups (`mixture.lower_posterior`), all lie above .5 and only their order speaks.
    """
    span = np.ptp(losses)
    scaled = (losses - losses.min()) / span if span > NO_SPREAD else np.zeros(len(losses))
    if labels is None:
        return lower_posterior(scaled, seed, **CONSTANTS)
    return lower_posterior_by_class(scaled, labels, seed, **CONSTANTS)


def _cleaned(evidence: Evidence, trust: np.ndarray) -> Cleaned:
    """A label that is not kept becomes the suggested one where that is the more probable of the two."""
    suggested, log_odds = late_log_odds_of(evidence.recording)
    kept = trust > KEPT
    changed = ~kept & (log_odds > 0)
    confidence = np.where(changed, (1 - trust) * expit(log_odds), trust)
    return Cleaned(trust, kept, np.where(changed, suggested, evidence.labels), confidence)

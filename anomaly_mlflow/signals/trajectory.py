"""The loss of the given label over the epochs (part of the family `dynamics`).

loss_t = cross-entropy of the given label in the training batches of epoch t = 0 .. T-1, in nats.
The late half is the epochs from T // 2 on. With too few epochs for a slope or a change the value is 0.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = [
    "final_loss",
    "late_loss_slope",
    "loss_rebound",
    "loss_sign_changes",
    "loss_slope",
    "loss_std",
    "mean_loss",
    "min_loss",
]

NEEDS = ("recording",)
MISFITS = MADE[1:]
FAR_LABELS = (AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
TRAJECTORY = "loss-trajectory statistic, after Siddiqui et al. (2022), arXiv:2209.10015"


@signal("dynamics", NEEDS, MISFITS, "Huang et al. (2019), ICCV (O2U-Net: mean loss over epochs)", "nT")
def mean_loss(evidence: Evidence) -> np.ndarray:
    """mean_t loss_t."""
    return evidence.recording.loss.mean(axis=0, dtype=np.float64)


@signal("dynamics", NEEDS, FAR_LABELS, TRAJECTORY, "nT")
def loss_std(evidence: Evidence) -> np.ndarray:
    """Population standard deviation over t of loss_t."""
    return evidence.recording.loss.std(axis=0, dtype=np.float64)


@signal("dynamics", NEEDS, MISFITS, "Han et al. (2018), NeurIPS (small-loss criterion)", "nT")
def final_loss(evidence: Evidence) -> np.ndarray:
    """loss_{T-1}: the last recorded epoch, as its training batches passed."""
    return evidence.recording.loss[-1]


@signal("dynamics", NEEDS, FAR_LABELS, TRAJECTORY, "nT")
def min_loss(evidence: Evidence) -> np.ndarray:
    """min_t loss_t: never fitted is suspicious."""
    return evidence.recording.loss.min(axis=0)


@signal("dynamics", NEEDS, (AnomalyType.GROSS,), TRAJECTORY, "nT")
def loss_slope(evidence: Evidence) -> np.ndarray:
    """Least-squares slope of loss_t on t, in nats per epoch: falling less, or rising, is suspicious.

    Hard rows fall most of all and come out below clean ones.
    """
    return _slope(evidence.recording.loss)


@signal("dynamics", NEEDS, (AnomalyType.GROSS,), TRAJECTORY, "nT")
def late_loss_slope(evidence: Evidence) -> np.ndarray:
    """Least-squares slope of loss_t on t over the late half, in nats per epoch.

    Holds while the network resists the label; where it memorises late, wrong labels fall and the order turns.
    """
    loss = evidence.recording.loss
    return _slope(loss[len(loss) // 2 :])


@signal("dynamics", NEEDS, MISFITS, TRAJECTORY, "nT")
def loss_rebound(evidence: Evidence) -> np.ndarray:
    """Largest climb above the lowest loss so far, max_t (loss_t - min_{s <= t} loss_s)."""
    loss = evidence.recording.loss
    return (loss - np.minimum.accumulate(loss, axis=0)).max(axis=0)


@signal("dynamics", NEEDS, (AnomalyType.HARD,), TRAJECTORY, "nT")
def loss_sign_changes(evidence: Evidence) -> np.ndarray:
    """Number of t at which loss_t turns: the first differences on both sides have opposite signs."""
    signs = np.sign(np.diff(evidence.recording.loss, axis=0))
    return (signs[1:] * signs[:-1] < 0).sum(axis=0)


def _slope(loss: np.ndarray) -> np.ndarray:
    epochs = np.arange(len(loss)) - (len(loss) - 1) / 2
    spread = (epochs**2).sum()
    return epochs @ loss / (spread if spread else 1)

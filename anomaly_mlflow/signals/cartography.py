"""The probability of the given label over the epochs (part of the family `dynamics`).

p_ty = probability of the given label in the training batches of epoch t = 0 .. T-1. Variability and correctness, the
other two axes of a data map, are `confidence_variability` and `wrong_events`.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import MADE, AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["cartography_confidence", "data_iq_aleatoric", "el2n", "threshold_closeness"]

NEEDS = ("recording",)
MISFITS = MADE[1:]
UNSETTLED = (AnomalyType.HARD, AnomalyType.OOD)


@signal("dynamics", NEEDS, MISFITS, "Swayamdipta et al. (2020), EMNLP (confidence)", "nT")
def cartography_confidence(evidence: Evidence) -> np.ndarray:
    """1 - mean_t p_ty."""
    return 1 - evidence.recording.confidence.mean(axis=0, dtype=np.float64)


@signal("dynamics", NEEDS, UNSETTLED, "Swayamdipta et al. (2020), EMNLP (code: threshold closeness)", "nT")
def threshold_closeness(evidence: Evidence) -> np.ndarray:
    """m (1 - m), where m = mean_t p_ty: highest where the model believes in the label half of the time.

    Labels that are never fitted come out as low as those that are fitted at once.
    """
    mean = evidence.recording.confidence.mean(axis=0, dtype=np.float64)
    return mean * (1 - mean)


@signal("dynamics", NEEDS, UNSETTLED, "Seedat et al. (2022), NeurIPS (Data-IQ: aleatoric uncertainty)", "nT")
def data_iq_aleatoric(evidence: Evidence) -> np.ndarray:
    """mean_t p_ty (1 - p_ty): high where the model stays undecided.

    Labels that are never fitted come out low. Data-IQ's epistemic part is the square of `confidence_variability`.
    """
    confidence = evidence.recording.confidence
    return (confidence * (1 - confidence)).mean(axis=0, dtype=np.float64)


@signal("dynamics", NEEDS, MISFITS, "Paul, Ganguli and Dziugaite (2021), NeurIPS (EL2N)", "nT")
def el2n(evidence: Evidence) -> np.ndarray:
    """Mean Euclidean norm of p_t - onehot(y) over the first fifth of the epochs, t < max(1, T // 5).

    The paper averages one early epoch over ten initialisations; here the epochs of one training stand in for them.
    """
    recording = evidence.recording
    return recording.error_norm[: max(1, recording.epochs // 5)].mean(axis=0, dtype=np.float64)

"""The recording of a training with many classes, where all logits would take too much."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anomaly_mlflow.errors import MissingEvidence
from anomaly_mlflow.training.recording import check_lengths, read_only

__all__ = ["ALL_LOGITS", "TOP", "TopRecording"]

ALL_LOGITS = 100
"""Up to this many classes a recording keeps every logit, beyond it the largest."""

TOP = 5


@dataclass(frozen=True)
class TopRecording:
    """A recording of many classes: for each epoch and sample what the logits told, and the largest of them.

    loss, margin, entropy, error_norm, log_sum_exp: float32 (epochs, n), as in `Recording`, of all classes;
    the logit of the given label is log_sum_exp - loss.
    top_log_probabilities: float32 (epochs, n, 5), the largest logits less log_sum_exp; top_classes: (epochs, n, 5).
    """

    loss: np.ndarray
    margin: np.ndarray
    entropy: np.ndarray
    error_norm: np.ndarray
    log_sum_exp: np.ndarray
    top_log_probabilities: np.ndarray
    top_classes: np.ndarray
    num_classes: int
    labels: np.ndarray
    sample_id: np.ndarray
    learning_rate: np.ndarray

    def __post_init__(self) -> None:
        check_lengths(self.loss.shape, self.labels, self.sample_id, self.learning_rate)

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return len(self.loss)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the given label."""
        return read_only(np.exp(-self.loss))

    @property
    def predicted(self) -> np.ndarray:
        """The class of the largest logit."""
        return self.top_classes[:, :, 0]

    @cached_property
    def correct(self) -> np.ndarray:
        """bool: the prediction equals the given label."""
        return read_only(self.predicted == self.labels)

    def _only_top(self) -> np.ndarray:
        """Raises MissingEvidence: not all logits were kept."""
        raise MissingEvidence(f"of {self.num_classes} classes the recording holds the {TOP} largest logits, not all")

    logits = log_probabilities = probabilities = property(_only_top)

"""What every sample did in every epoch; all trajectories derive from the logits."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import log_softmax

from anomaly_mlflow.errors import BadData

__all__ = ["Recording"]


@dataclass(frozen=True)
class Recording:
    """Logits of the training batches as they passed, before the update of that batch.

    logits: float16 (epochs, n, classes); labels: int64 (n,), the given labels;
    sample_id: int64 (n,); learning_rate: float64 (epochs,), mean rate of each epoch.
    All derived arrays are float32 of shape (epochs, n).
    """

    logits: np.ndarray
    labels: np.ndarray
    sample_id: np.ndarray
    learning_rate: np.ndarray

    def __post_init__(self) -> None:
        epochs, n, _ = self.logits.shape
        if len(self.labels) != n or len(self.sample_id) != n or len(self.learning_rate) != epochs:
            raise BadData(f"recording of shape {self.logits.shape} does not fit {len(self.labels)} labels")

    @cached_property
    def log_probabilities(self) -> np.ndarray:
        """float32 (epochs, n, classes)."""
        return log_softmax(self.logits.astype(np.float32), axis=2)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """float32 (epochs, n, classes)."""
        return np.exp(self.log_probabilities)

    @cached_property
    def loss(self) -> np.ndarray:
        """Cross-entropy of the given label, in nats."""
        return -self._of_label(self.log_probabilities)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the given label."""
        return np.exp(-self.loss)

    @cached_property
    def margin(self) -> np.ndarray:
        """Logit of the given label less the largest other logit."""
        logits = self.logits.astype(np.float32)
        others = logits.copy()
        np.put_along_axis(others, self._index, -np.inf, axis=2)
        return self._of_label(logits) - others.max(axis=2)

    @cached_property
    def entropy(self) -> np.ndarray:
        """Entropy of the predicted distribution, in nats."""
        return -(self.probabilities * self.log_probabilities).sum(axis=2)

    @cached_property
    def predicted(self) -> np.ndarray:
        """int64: the class of the largest logit."""
        return self.logits.argmax(axis=2)

    @cached_property
    def correct(self) -> np.ndarray:
        """bool: the prediction equals the given label."""
        return self.predicted == self.labels

    @property
    def _index(self) -> np.ndarray:
        return np.broadcast_to(self.labels[None, :, None], (*self.logits.shape[:2], 1))

    def _of_label(self, values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, self._index, axis=2)[:, :, 0]

"""What every sample did in every epoch; all trajectories derive from the logits."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.special import log_softmax

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.logit_statistics import logit_statistics

__all__ = ["Recording", "check_lengths", "read_only"]


@dataclass(frozen=True)
class Recording:
    """Logits of the training batches as they passed, before the update of that batch.

    logits: float16 (epochs, n, classes); labels: int64 (n,), the given labels;
    sample_id: int64 (n,); learning_rate: float64 (epochs,), mean rate of each epoch.
    Derived arrays are (epochs, n), float32 where nothing else is said, and read-only.
    """

    logits: np.ndarray
    labels: np.ndarray
    sample_id: np.ndarray
    learning_rate: np.ndarray

    def __post_init__(self) -> None:
        check_lengths(self.logits.shape[:2], self.labels, self.sample_id, self.learning_rate)

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return len(self.logits)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.logits.shape[2]

    @cached_property
    def log_probabilities(self) -> np.ndarray:
        """(epochs, n, classes)."""
        return read_only(log_softmax(self.logits.astype(np.float32), axis=2))

    @cached_property
    def probabilities(self) -> np.ndarray:
        """(epochs, n, classes)."""
        return read_only(np.exp(self.log_probabilities))

    @property
    def loss(self) -> np.ndarray:
        """Cross-entropy of the given label, in nats."""
        return self.statistics["loss"]

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the given label."""
        return read_only(np.exp(-self.loss))

    @property
    def margin(self) -> np.ndarray:
        """Logit of the given label less the largest other logit."""
        return self.statistics["margin"]

    @property
    def entropy(self) -> np.ndarray:
        """Entropy of the predicted distribution, in nats."""
        return self.statistics["entropy"]

    @property
    def error_norm(self) -> np.ndarray:
        """Euclidean norm of the predicted distribution less the one-hot given label, 0 to sqrt(2)."""
        return self.statistics["error_norm"]

    @property
    def predicted(self) -> np.ndarray:
        """int64: the class of the largest logit."""
        return self.statistics["predicted"]

    @cached_property
    def correct(self) -> np.ndarray:
        """bool: the prediction equals the given label."""
        return read_only(self.predicted == self.labels)

    @cached_property
    def statistics(self) -> dict[str, np.ndarray]:
        """All of `logit_statistics`, each (epochs, n); an epoch at a time, so that what lies between stays small."""
        labels = torch.tensor(self.labels)
        parts = [logit_statistics(torch.tensor(logits), labels) for logits in self.logits]
        return {name: read_only(torch.stack([part[name] for part in parts]).numpy()) for name in parts[0]}


def check_lengths(shape: tuple[int, ...], labels: np.ndarray, sample_id: np.ndarray, learning_rate: np.ndarray) -> None:
    """Raises BadData where these do not fit a recording of shape (epochs, n)."""
    if (len(learning_rate), len(labels)) != shape or len(sample_id) != shape[1]:
        raise BadData(f"recording of shape {shape} does not fit {len(labels)} labels")


def read_only(array: np.ndarray) -> np.ndarray:
    """The array itself, which nobody can change any more."""
    array.flags.writeable = False
    return array

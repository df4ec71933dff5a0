"""What the label should be, from the late epochs of a recording."""

import numpy as np
from scipy.special import logsumexp

from anomaly_mlflow.training.recording import Recording

__all__ = ["late_log_probabilities", "of_given_label", "others_only", "suggested_label"]


def suggested_label(recording: Recording) -> np.ndarray:
    """int64 (n,): the most probable class other than the given one, by mean probability over the late half."""
    return others_only(late_log_probabilities(recording), recording.labels).argmax(axis=1)


def late_log_probabilities(recording: Recording) -> np.ndarray:
    """float64 (n, classes): ln of the mean probability over the epochs from T // 2 on."""
    log_probabilities = recording.log_probabilities
    late = log_probabilities[len(log_probabilities) // 2 :].astype(np.float64)
    return logsumexp(late, axis=0) - np.log(len(late))  # the log of a mean of float32 would underflow to -inf


def of_given_label(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,): each row's value at its given label."""
    return np.take_along_axis(values, labels[:, None], axis=1)[:, 0]


def others_only(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A copy of values (n, classes) with -inf at the given label."""
    others = values.copy()
    np.put_along_axis(others, labels[:, None], -np.inf, axis=1)
    return others

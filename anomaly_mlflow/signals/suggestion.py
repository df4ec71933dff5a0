"""What the label should be, from the late epochs of a recording."""

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.special import logsumexp

from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["late_log_odds_of", "of_given_label", "others_only", "suggested_label"]

LEAST = 1e-300


def suggested_label(recording: Recording | TopRecording) -> np.ndarray:
    """int64 (n,): the most probable class other than the given one, by mean probability over the late half."""
    return late_log_odds_of(recording)[0]


def late_log_odds_of(recording: Recording | TopRecording) -> tuple[np.ndarray, np.ndarray]:
    """The class other than the given label of the highest mean probability over the epochs from T // 2 on, int64 (n,);
    ln of that mean over the given label's, float64 (n,).

    Of a TopRecording approximated: each of the classes that are not kept has an even share of the probability that is
    left, and no more than the least that is kept.
    """
    return _of_all(recording) if isinstance(recording, Recording) else _of_largest(recording)


def _of_all(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    logits = torch.tensor(recording.logits[recording.epochs // 2 :]).float()
    mean = logits.log_softmax(dim=2).logsumexp(dim=0).numpy().astype(np.float64)  # a mean of float32 would underflow
    others = others_only(mean, recording.labels)
    return others.argmax(axis=1), others.max(axis=1) - of_given_label(mean, recording.labels)


def _of_largest(recording: TopRecording) -> tuple[np.ndarray, np.ndarray]:
    late = slice(recording.epochs // 2, None)
    labels, classes = recording.labels, recording.top_classes[late].astype(np.int64)
    kept, of_label = recording.top_log_probabilities[late].astype(np.float64), -recording.loss[late].astype(np.float64)
    is_label = classes == labels[:, None]
    even = _even_share(kept, of_label, is_label.any(axis=2), recording.num_classes)
    scale = np.where(is_label, -np.inf, kept).max(axis=(0, 2))  # so that the largest neither over- nor underflows
    even = np.exp(even - scale)
    beyond = np.where(is_label, 0.0, np.exp(np.minimum(kept - scale[:, None], 0)) - even[:, :, None])
    rows = np.broadcast_to(np.arange(len(labels))[:, None], classes.shape)
    values, at = np.append(beyond, np.full(len(labels), -np.inf)), np.append(classes, labels)
    shape = (len(labels), recording.num_classes)
    summed = coo_array((values, (np.append(rows, rows[0, :, 0]), at)), shape=shape).tocsr()  # adds what coincides
    largest = summed.max(axis=1).toarray().ravel()
    log_odds = np.log(even.sum(axis=0) + largest) + scale - logsumexp(of_label, axis=0)
    return summed.argmax(axis=1).ravel().astype(np.int64), log_odds


def _even_share(kept: np.ndarray, of_label: np.ndarray, among: np.ndarray, num_classes: int) -> np.ndarray:
    """ln of the probability of each class that is not kept, (epochs, n)."""
    left = 1 - np.exp(kept).sum(axis=2) - np.where(among, 0.0, np.exp(of_label))
    share = left / (num_classes - kept.shape[2] - ~among)
    return np.minimum(np.log(np.maximum(share, LEAST)), kept[:, :, -1])


def of_given_label(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,): each row's value at its given label."""
    return np.take_along_axis(values, labels[:, None], axis=1)[:, 0]


def others_only(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A copy of values (n, classes) with -inf at the given label."""
    others = values.copy()
    np.put_along_axis(others, labels[:, None], -np.inf, axis=1)
    return others

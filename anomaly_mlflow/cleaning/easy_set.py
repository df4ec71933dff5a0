"""Rows whose given label is believed because it was learnt easily, and the hard rest."""

from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.cleaning.small_loss import small_loss_posterior
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["EasySet", "easy_set", "late_loss"]


@dataclass(frozen=True)
class EasySet:
    """Which of n rows are easy.

    easy: bool (n,). posterior: float64 (n,), probability that the loss is of the lower component. missing: int64 (m,),
    classes that have rows and no easy one. hard: bool (n,), rows that may be judged by the easy ones; those of a
    missing class are neither: nothing could speak for their label, so what speaks against it is no evidence.
    """

    easy: np.ndarray
    posterior: np.ndarray
    missing: np.ndarray
    hard: np.ndarray


def easy_set(losses: np.ndarray, labels: np.ndarray, num_classes: int, *, seed: int, balanced: bool = True) -> EasySet:
    """Rows of the lower component of their class's losses, at most so many of a class as classes have on average.

    losses: float (n,) of the given labels, nats; labels: int64 (n,). balanced: cut the easy rows of a class to those of
    the smallest losses, down to the mean number over the classes that have any (arXiv 2407.07331 balances its easy set;
    how is a reconstruction). The same losses in another order give the same rows; ties go to the first ones.
    """
    posterior = small_loss_posterior(losses, labels, seed)
    easy = posterior > 0.5
    count = np.bincount(labels[easy], minlength=num_classes)
    if balanced and easy.any():
        easy &= _rank_in_class(np.where(easy, losses, np.inf), labels) < int(count[count > 0].mean())
    missing = np.setdiff1d(labels, labels[easy])
    return EasySet(easy, posterior, missing, ~easy & ~np.isin(labels, missing))


def late_loss(evidence: Evidence) -> np.ndarray:
    """Mean loss of the given label over the late half of the recorded epochs, nats, float64 (n,)."""
    return evidence.recording.loss[evidence.recording.epochs // 2 :].mean(axis=0, dtype=np.float64)


def _rank_in_class(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 (n,): how many rows of the same label come before each one, by value."""
    order = np.lexsort((values, labels))
    count = np.bincount(labels)
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(np.cumsum(count) - count, count)
    return rank

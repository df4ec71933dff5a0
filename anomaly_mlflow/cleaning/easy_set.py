"""Rows whose given label is believed because it was learnt easily, and the hard rest."""

from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.cleaning.small_loss import small_loss_posterior

__all__ = ["EasySet", "easy_set"]


@dataclass(frozen=True)
class EasySet:
    """Which of n rows are easy.

    posterior: float64 (n,), probability that the loss is of the lower component. easy: bool (n,), rows believed by it,
    cut to balanced classes. hard: bool (n,), rows that are not believed and may be judged by the easy ones.
    missing: int64 (m,), classes that have rows and no easy one: theirs are not hard, since nothing could speak for
    their label, so that what speaks against it is no evidence. Rows that were cut are neither.
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
    believed = posterior > 0.5
    easy = believed.copy()
    count = np.bincount(labels[easy], minlength=num_classes)
    if balanced and easy.any():
        easy &= _rank_in_class(np.where(easy, losses, np.inf), labels) < int(count[count > 0].mean())
    missing = np.setdiff1d(labels, labels[easy])
    return EasySet(easy, posterior, missing, ~believed & ~np.isin(labels, missing))


def _rank_in_class(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 (n,): how many rows of the same label come before each one, by value."""
    order = np.lexsort((values, labels))
    count = np.bincount(labels)
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(np.cumsum(count) - count, count)
    return rank

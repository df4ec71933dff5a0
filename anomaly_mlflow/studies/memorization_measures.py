"""What each epoch of a training with conflicting labels shows: what is generalized, memorized, told apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.detection.contamination import flag
from anomaly_mlflow.detection.measures import Measure, auroc_of, mean_of, rates_of
from anomaly_mlflow.studies.resampled import Resampled, beside_each_other, resample

__all__ = ["MEASURES", "Training", "column", "measure_training"]

MEASURES = {
    "test_accuracy": "generalization: accuracy on test images with true labels",
    "memorized": "memorization: share of the conflicting labels that are predicted as given",
    "corrected": "share of the conflicting labels whose true class is predicted",
    "entropy_clean": "mean entropy of clean images, nats",
    "entropy_conflicting": "mean entropy of conflicting images, nats",
    "auroc_entropy": "AUROC of the entropy, conflicting against clean",
    "auroc_loss": "AUROC of the loss of the given label",
    "precision_entropy": "precision of the most uncertain images, as many as there are wrong labels",
    "recall_entropy": "recall of the same",
    "precision_loss": "precision of the images of the highest loss, as many as there are wrong labels",
    "recall_loss": "recall of the same",
}


@dataclass(frozen=True)
class Training:
    """What a training left behind after each epoch.

    entropy, loss (of the given label): float (epochs, n), nats; predicted: int64 (epochs, n); given, true, groups:
    int64 (n,). test_right: bool (epochs, m); test_labels, test_groups: int64 (m,).
    """

    entropy: np.ndarray
    loss: np.ndarray
    predicted: np.ndarray
    given: np.ndarray
    true: np.ndarray
    groups: np.ndarray
    test_right: np.ndarray
    test_labels: np.ndarray
    test_groups: np.ndarray

    @property
    def conflicting(self) -> np.ndarray:
        """bool (n,): the given label is not the true one."""
        return self.given != self.true


def column(epoch: int, measure: str) -> str:
    """The name of a figure of an epoch, counted from 0."""
    return f"{epoch}.{measure}"


def measure_training(training: Training, *, draws: int = 2000, seed: int = 0) -> Resampled:
    """All `MEASURES` of every epoch; training and test rows are drawn apart, by group within class.

    What is flagged is the share that really conflicts; thresholds stay those of the rows as they are.
    """
    epochs, conflicting = range(len(training.entropy)), training.conflicting
    on_test = {column(epoch, "test_accuracy"): mean_of(training.test_right[epoch]) for epoch in epochs}
    on_train = {column(epoch, name): each for epoch in epochs for name, each in _of_epoch(training, epoch)}
    how = {"draws": draws, "seed": seed}
    return beside_each_other(
        resample(on_test, training.test_labels, training.test_groups, **how),
        resample(on_train, conflicting, training.groups, **how),
    )


def _of_epoch(training: Training, epoch: int) -> Iterator[tuple[str, Measure]]:
    conflicting, predicted = training.conflicting, training.predicted[epoch]
    yield "memorized", mean_of(predicted == training.given, conflicting)
    yield "corrected", mean_of(predicted == training.true, conflicting)
    yield "entropy_clean", mean_of(training.entropy[epoch], ~conflicting)
    yield "entropy_conflicting", mean_of(training.entropy[epoch], conflicting)
    one_fold = np.zeros(len(conflicting), np.int64)
    for name, scores in (("entropy", training.entropy[epoch]), ("loss", training.loss[epoch])):
        yield f"auroc_{name}", auroc_of(scores, conflicting, one_fold)
        rates = rates_of(flag(scores, float(conflicting.mean())), conflicting)
        yield f"precision_{name}", _one_of(rates, 0)
        yield f"recall_{name}", _one_of(rates, 1)


def _one_of(rates: Measure, which: int) -> Measure:
    return lambda weights: rates(weights)[:, :, which]

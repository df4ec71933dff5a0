"""Training that ends before wrong labels are memorised, at an epoch chosen without the truth."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import numpy as np

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import SCHEDULES, TrainConfig
from anomaly_mlflow.training.folds import assign_folds
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit

__all__ = ["fit_early_stopped"]

PARTS = 10
"""One of so many parts is held out."""

OnEpoch = Callable[[int, Classifier, float], None]


def fit_early_stopped(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "auto",
    on_epoch: OnEpoch | None = None,
    epoch: int | None = None,
) -> Classifier:
    """The model as it was after one epoch of a training on the given labels.

    epoch: which one, counted from 0, as a window of memorisation names it; the training is on all rows. Without it a
    tenth of the rows is held out and the epoch of the best agreement with their given labels is taken: under
    noise that depends on the class alone and leaves right labels in the majority, the model that agrees best with given
    labels agrees best with right ones (Chen et al. 2021, AAAI). One cycle
    is replaced by the constant rate that belongs to it: amid a cycle a model is not finished.
    Raises TrainingDiverged, BadData, BadOption.
    """
    config = _without_cycle(config)
    if epoch is not None:
        return fit(samples, replace(config, epochs=epoch + 1), seed=seed, device=device, on_epoch=on_epoch)[0]
    held_out = assign_folds(samples, PARTS, seed) == 0
    best, model = -1.0, None

    def keep(number: int, now: Classifier, loss: float) -> None:
        nonlocal best, model
        agreement = (infer(now, samples.images, rows=held_out)[1].argmax(axis=1) == samples.labels[held_out]).mean()
        if agreement > best:
            best, model = agreement, deepcopy(now)
        if on_epoch:
            on_epoch(number, now, loss)

    fit(samples, config, seed=seed, device=device, rows=np.flatnonzero(~held_out), on_epoch=keep)
    return model.eval()


def _without_cycle(config: TrainConfig) -> TrainConfig:
    if config.schedule != "one_cycle":
        return config
    return replace(config, schedule="constant", learning_rate=config.learning_rate * SCHEDULES["constant"])

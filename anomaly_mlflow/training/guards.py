"""What cannot be trained, or goes wrong in training, ends in one line."""

import math

import numpy as np
import torch

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption, TrainingDiverged
from anomaly_mlflow.training.config import TrainConfig

__all__ = ["check_fits", "check_loss", "check_weights"]

WORST = 10
"""A mean loss beyond this many times that of guessing, ln C nats, is no spike that training recovers from."""


def check_fits(samples: Samples, config: TrainConfig, rows: np.ndarray, every_class: bool = True) -> None:
    """Raises BadOption where a batch is larger than the set, BadData where there is no second row or a class has none.

    rows: int64, those to be trained on; every_class: not wanted of a part that a trained model goes on with.
    """
    if config.batch_size > len(samples):
        raise BadOption(f"batch_size={config.batch_size} is more than the {len(samples)} images there are; lower it")
    if len(rows) < 2:
        raise BadData(f"{len(rows)} of the images of '{samples.name}' are left to train on; two are the least")
    missing = np.flatnonzero(np.bincount(samples.labels[rows], minlength=samples.num_classes) == 0)
    if every_class and len(missing):
        names = ", ".join(samples.classes[number] for number in missing[:5])
        raise BadData(f"no image of class {names} is left to train on; take more images, or drop the class")


def check_loss(mean_loss: float, epoch: int, num_classes: int, config: TrainConfig) -> None:
    """Raises TrainingDiverged where an epoch's mean loss is no number or, after the first, far worse than guessing."""
    if not math.isfinite(mean_loss) or (epoch > 0 and mean_loss > WORST * math.log(num_classes)):
        raise TrainingDiverged(
            f"the loss is {mean_loss:.3g} in epoch {epoch}; lower learning_rate ({config.learning_rate})"
        )


def check_weights(model: torch.nn.Module, config: TrainConfig) -> None:
    """Raises TrainingDiverged where a weight is no number."""
    if not all(torch.isfinite(weight).all() for weight in model.parameters()):
        raise TrainingDiverged(f"the weights are no numbers any more; lower learning_rate ({config.learning_rate})")

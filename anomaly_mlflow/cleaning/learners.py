"""Ways to learn from given labels of which some are wrong, by name; none of them sees the truth."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from anomaly_mlflow.cleaning.anchor_training import AnchorTraining, fit_anchors
from anomaly_mlflow.cleaning.anchors import AnchorSettings
from anomaly_mlflow.cleaning.cheap_learners import (
    OnEpoch,
    after,
    constant_rate,
    early_stopping,
    embedding_noise,
    label_smoothing,
    plain,
    plain_pair,
)
from anomaly_mlflow.cleaning.entropy_window import window
from anomaly_mlflow.cleaning.small_loss import late_losses, small_loss_posterior
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.dividemix import believed, fit_dividemix
from anomaly_mlflow.training.early_stopping import fit_early_stopped, without_cycle
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.semi_supervised import fit_semi_supervised

__all__ = ["LEARNERS", "Learner", "find_learner"]

Learner = Callable[..., Classifier]
"""(samples with given labels, config, seed, device="auto", on_epoch=None) -> trained model; the seed fixes all.

Each raises TrainingDiverged, BadData, BadOption. Each is given the same configuration; what each
costs stands in the column cpu_seconds of `retrained.csv`.
"""


def window_stopping(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """The epoch at which the losses of the given labels part best, while wrong ones are resisted; up to twice as much.

    It is found after a whole training, and gone back to by another one that ends there: the label-free window of
    `cleaning.entropy_window`, at a constant rate. Where no epoch parts the losses in two, or the last one does it
    best, there is no window, and the first training's model is the answer.
    """
    config = without_cycle(config)
    model, recording = fit(samples, config, seed=seed, device=device, record=True, on_epoch=on_epoch)
    epoch, lower = window(recording.loss, seed)
    if (lower > 0.5).all() or epoch == config.epochs - 1:
        return model
    later = after(config, on_epoch)
    return fit_early_stopped(samples, config, seed=seed, device=device, on_epoch=later, epoch=epoch)


def mixmatch(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """`plain` to find the rows of small loss, then MixMatch on these, the others without labels; some times as much.

    MixMatch with the constants of DivideMix, prior and all, and without a moving average of the weights. The loss is
    the mean over the late half of the epochs, as the training batches passed. Its epochs follow those of the first
    training: twice as many are told.
    """
    recording = fit(samples, config, seed=seed, device=device, record=True, on_epoch=on_epoch)[1]
    division = believed(small_loss_posterior(late_losses(recording), None, seed), samples, threshold=0.5)
    certain = replace(division, weight=np.ones_like(division.weight))  # MixMatch believes the labels that it is given
    return fit_semi_supervised(samples, certain, config, seed=seed, device=device, on_epoch=after(config, on_epoch))


def dividemix(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """Two networks that divide the rows for each other, answering as one; the dearest but for the anchors.

    The paper's settings for symmetric noise, whatever the noise is (under asymmetric noise it adds a penalty and leaves
    the unlabelled loss out), and the house's one cycle, at whose peak the first division is made.
    """
    judge = partial(small_loss_posterior, labels=None, seed=seed)
    return fit_dividemix(samples, config, judge, seed=seed, device=device, on_epoch=on_epoch)


def anchor_hallucination(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """One network whose hard rows are corrected by learned anchors (a reconstruction).

    The hallucinator is trained anew at each correction, which on few images takes longer than all else.
    """
    settings = AnchorTraining(AnchorSettings(learned=True))
    return fit_anchors(samples, config, settings, seed=seed, device=device, on_epoch=on_epoch)


def linear_anchors(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """The same with anchors that no network made: the baseline of `anchor_hallucination`."""
    return fit_anchors(samples, config, seed=seed, device=device, on_epoch=on_epoch)


LEARNERS: dict[str, Learner] = {
    learner.__name__: learner
    for learner in (
        plain,
        plain_pair,
        constant_rate,
        label_smoothing,
        embedding_noise,
        early_stopping,
        window_stopping,
        mixmatch,
        dividemix,
        anchor_hallucination,
        linear_anchors,
    )
}


def find_learner(name: str) -> Learner:
    """The learner of this name. Raises UnknownName that lists the known ones."""
    if name not in LEARNERS:
        raise UnknownName("learner", name, LEARNERS)
    return LEARNERS[name]

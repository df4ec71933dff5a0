"""Ways to learn from given labels of which some are wrong, by name; none of them sees the truth."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from anomaly_mlflow.cleaning.anchor_training import AnchorTraining, fit_anchors
from anomaly_mlflow.cleaning.anchors import AnchorSettings
from anomaly_mlflow.cleaning.small_loss import small_loss_posterior
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.dividemix import believed, fit_dividemix
from anomaly_mlflow.training.early_stopping import fit_early_stopped
from anomaly_mlflow.training.embedding_noise import fit_with_embedding_noise
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.semi_supervised import fit_semi_supervised

__all__ = ["LEARNERS", "Learner", "OnEpoch", "find_learner"]

OnEpoch = Callable[[int, Classifier, float], None] | None
"""Called with epoch, model and mean loss (nats) after each epoch."""

Learner = Callable[..., Classifier]
"""(samples with given labels, config, seed, device="auto", on_epoch=None) -> trained model; the seed fixes all.

Each raises TrainingDiverged, BadData, BadOption. Each is given the same configuration; how many times as much it
computes as `plain` is told with it.
"""

SMOOTHING = 0.1
"""Szegedy et al. (2016); Lukasik et al. (2020), ICML, on what it does under label noise."""


def plain(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """Cross-entropy on all given labels: what every other learner is compared with."""
    return fit(samples, config, seed=seed, device=device, on_epoch=on_epoch)[0]


def label_smoothing(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """A tenth of every target goes to all classes evenly; costs as much as `plain`."""
    return plain(samples, replace(config, label_smoothing=SMOOTHING), seed, device, on_epoch)


def embedding_noise(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """Gaussian noise on the embedding, half as long as it (an analogy to Chen et al. 2024); as much as `plain`."""
    return fit_with_embedding_noise(samples, config, seed=seed, device=device, on_epoch=on_epoch)


def early_stopping(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """The epoch that agrees best with the given labels of a held-out tenth; as much as `plain`."""
    return fit_early_stopped(samples, config, seed=seed, device=device, on_epoch=on_epoch)


def mixmatch(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """`plain` to find the rows of small loss, then MixMatch on these, the others without labels; 4 times as much.

    The loss is the mean over the late half of the epochs, as the training batches passed. Its epochs follow those of
    the first training: twice as many are told.
    """
    recording = fit(samples, config, seed=seed, device=device, record=True, on_epoch=on_epoch)[1]
    loss = recording.loss[recording.epochs // 2 :].mean(axis=0, dtype=np.float64)
    later = (lambda epoch, *told: on_epoch(config.epochs + epoch, *told)) if on_epoch else None
    division = believed(small_loss_posterior(loss, None, seed), samples, threshold=0.5)
    certain = replace(division, weight=np.ones_like(division.weight))  # MixMatch believes the labels that it is given
    return fit_semi_supervised(samples, certain, config, seed=seed, device=device, on_epoch=later)


def dividemix(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """Two networks that divide the rows for each other, answering as one; 5 times as much."""
    judge = partial(small_loss_posterior, labels=None, seed=seed)
    return fit_dividemix(samples, config, judge, seed=seed, device=device, on_epoch=on_epoch)


def anchor_hallucination(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """One network whose hard rows are corrected by learned anchors (a reconstruction); 2 to 3 times as much."""
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
        label_smoothing,
        embedding_noise,
        early_stopping,
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

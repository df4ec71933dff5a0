"""Cheap ways to learn from given labels of which some are wrong: plain training, and controls for its competitors."""

from collections.abc import Callable
from dataclasses import replace

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Architecture, Classifier, build
from anomaly_mlflow.models.pair import PREFIX, pair_of
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.early_stopping import fit_early_stopped, without_cycle
from anomaly_mlflow.training.embedding_noise import fit_with_embedding_noise
from anomaly_mlflow.training.loop import fit

__all__ = [
    "OnEpoch",
    "after",
    "constant_rate",
    "early_stopping",
    "embedding_noise",
    "label_smoothing",
    "plain",
    "plain_pair",
]

OnEpoch = Callable[[int, Classifier, float], None] | None
"""Called with epoch, model and mean loss (nats) after each epoch."""

SECOND = 500_000
"""Added to the seed of a second network."""

SMOOTHING = 0.1
"""Szegedy et al. (2016); Lukasik et al. (2020), ICML, on what it does under label noise."""


def plain(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """Cross-entropy on all given labels: what every other learner is compared with."""
    return fit(samples, config, seed=seed, device=device, on_epoch=on_epoch)[0]


def plain_pair(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """Two of `plain` that answer with the mean of their logits: what `dividemix` has by two networks alone; twice."""
    build(Architecture(f"{PREFIX}:{config.model}", samples.image_shape, samples.num_classes))  # or an hour is lost
    first = plain(samples, config, seed, device, on_epoch)
    return pair_of(first, plain(samples, config, seed + SECOND, device, after(config, on_epoch)))


def constant_rate(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch = None
) -> Classifier:
    """`plain` with the constant rate of the learners that stop early: what they are to be compared with; as much."""
    return plain(samples, without_cycle(config), seed, device, on_epoch)


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
    """The epoch that agrees best with the given labels of a held-out tenth, at a constant rate; as much as `plain`."""
    return fit_early_stopped(samples, config, seed=seed, device=device, on_epoch=on_epoch)


def after(config: TrainConfig, on_epoch: OnEpoch) -> OnEpoch:
    """Tells the epochs of a second training as those that follow the first."""
    return (lambda epoch, *told: on_epoch(config.epochs + epoch, *told)) if on_epoch else None

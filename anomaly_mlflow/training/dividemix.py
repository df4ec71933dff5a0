"""Two networks that divide the rows for each other (DivideMix)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from lightning_fabric import Fabric, seed_everything

from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Architecture, Classifier, build
from anomaly_mlflow.models.pair import PREFIX, pair_of
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_fits, check_weights
from anomaly_mlflow.training.mixmatch import MixMatchSettings
from anomaly_mlflow.training.semi_supervised import Division, division_of, mixed_epoch
from anomaly_mlflow.training.under_way import begin, given_label_losses, plain_epoch

__all__ = ["DivideMixSettings", "believed", "fit_dividemix"]

Posterior = Callable[[np.ndarray], np.ndarray]
"""Losses of the given labels, float32 (n,), to the probability that each label is right, float64 (n,)."""


@dataclass(frozen=True)
class DivideMixSettings:
    """The constants of Li, Socher and Hoi (2020), scaled to trainings of some fifteen epochs instead of 300.

    warm_up: share of the epochs on all given labels (the paper: 10 of 300 epochs, but of five times as many images).
    threshold: of the probability of being right; mixmatch: what follows. No reward of entropy during the warm-up, which
    the paper has under asymmetric noise. Learning rate and schedule are the house's.
    """

    warm_up: float = 1 / 3
    threshold: float = 0.5
    mixmatch: MixMatchSettings = field(default_factory=MixMatchSettings)


def fit_dividemix(
    samples: Samples,
    config: TrainConfig,
    posterior: Posterior,
    settings: DivideMixSettings = DivideMixSettings(),
    *,
    seed: int,
    device: str = "auto",
    on_epoch: Callable[[int, Classifier, float], None] | None = None,
) -> Classifier:
    """Train two networks, each on the rows that the other one believes, and answer with the mean of their logits.

    posterior: how losses are judged, from the evaluation pass after each epoch. on_epoch: called with epoch, the first
    network and the mean loss of both (nats). Reproducible from the seed. Raises TrainingDiverged, BadData, BadOption.
    """
    fabric = Fabric(accelerator=device, devices=1, precision=config.precision)
    seed_everything(seed, verbose=False)
    check_fits(samples, config, np.arange(len(samples)))
    build(Architecture(f"{PREFIX}:{config.model}", samples.image_shape, samples.num_classes))  # or an hour is lost
    nets = [begin(fabric, samples, config, seed, number) for number in range(2)]
    labels = torch.tensor(samples.labels, device=fabric.device)
    warm_up = max(1, round(settings.warm_up * config.epochs))
    with Feed(samples.images, config.augmentation, fabric.device) as feed:
        for epoch in range(config.epochs):
            if epoch < warm_up:
                losses = [plain_epoch(net, feed, labels, epoch) for net in nets]
            else:
                divisions = [
                    believed(posterior(given_label_losses(net, samples)[0]), samples, settings.threshold)
                    for net in nets
                ]
                losses = [
                    mixed_epoch(
                        nets[own],
                        feed,
                        divisions[1 - own],
                        settings.mixmatch,
                        epoch,
                        start=warm_up,
                        other=nets[1 - own],
                    )
                    for own in range(2)
                ]
            if on_epoch:
                on_epoch(epoch, nets[0].classifier, float(np.mean(losses)))
    for net in nets:
        check_weights(net.model, config)
    return pair_of(*(net.classifier for net in nets))


def believed(posterior: np.ndarray, samples: Samples, threshold: float) -> Division:
    """The rows whose label is right with more than this probability are labelled, weighted by it.

    All of them where not even two are: then the mixture found nothing.
    """
    labelled = posterior > threshold
    if labelled.sum() < 2:
        labelled = np.ones(len(samples), bool)
    return division_of(labelled, samples.labels, posterior, samples.num_classes)

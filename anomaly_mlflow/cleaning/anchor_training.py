"""Training in alternating phases: anchors correct the labels, MixMatch learns from them, and again."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from lightning_fabric import Fabric, seed_everything

from anomaly_mlflow.cleaning.anchors import AnchorSettings, vote_by_anchors
from anomaly_mlflow.cleaning.easy_set import easy_set
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.signals.evidence import Head
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_fits, check_weights
from anomaly_mlflow.training.mixmatch import MixMatchSettings
from anomaly_mlflow.training.semi_supervised import Division, division_of, mixed_epoch
from anomaly_mlflow.training.under_way import begin, given_label_losses, plain_epoch

__all__ = ["AnchorTraining", "corrected_division", "fit_anchors"]


@dataclass(frozen=True)
class AnchorTraining:
    """How the phases alternate.

    warm_up: share of the epochs on all given labels (10 of 300 in the paper's peers; a third of some fifteen here).
    every: epochs of MixMatch between two corrections. A reconstruction, as the anchors are.
    """

    anchors: AnchorSettings = field(default_factory=AnchorSettings)
    mixmatch: MixMatchSettings = field(default_factory=MixMatchSettings)
    warm_up: float = 1 / 3
    every: int = 2


def fit_anchors(
    samples: Samples,
    config: TrainConfig,
    settings: AnchorTraining = AnchorTraining(),
    *,
    seed: int,
    device: str = "auto",
    on_epoch: Callable[[int, Classifier, float], None] | None = None,
) -> Classifier:
    """Train one network on its easy rows, the hard rows that anchors correct, and the rest without labels.

    After the warm-up, every few epochs: an evaluation pass, the easy set, votes of anchors, a new division. on_epoch:
    called with epoch, model and mean loss (nats). Reproducible from the seed. Raises TrainingDiverged, BadData,
    BadOption.
    """
    fabric = Fabric(accelerator=device, devices=1, precision=config.precision)
    seed_everything(seed, verbose=False)
    check_fits(samples, config, np.arange(len(samples)))
    net = begin(fabric, samples, config, seed)
    labels = torch.tensor(samples.labels, device=fabric.device)
    warm_up = max(1, round(settings.warm_up * config.epochs))
    with Feed(samples.images, config.augmentation, fabric.device) as feed:
        for epoch in range(config.epochs):
            if epoch < warm_up:
                loss = plain_epoch(net, feed, labels, epoch)
            else:
                if (epoch - warm_up) % settings.every == 0:
                    losses, embeddings = given_label_losses(net, samples)
                    head = _head_of(net.classifier)
                    division = corrected_division(samples, losses, embeddings, head, settings.anchors, seed=seed)
                loss = mixed_epoch(net, feed, division, settings.mixmatch, epoch, start=warm_up)
            if on_epoch:
                on_epoch(epoch, net.classifier, loss)
    check_weights(net.model, config)
    return net.classifier.eval()


def corrected_division(
    samples: Samples,
    losses: np.ndarray,
    embeddings: np.ndarray,
    head: Head,
    settings: AnchorSettings,
    *,
    seed: int,
) -> Division:
    """Easy rows with their label, weighted by its posterior; decided hard ones with that of the votes, by their share.

    losses: float (n,), of the given labels; embeddings: float32 (n, d); head: the classifier on them. Rows of a class
    without an easy row keep their label, weighted by its posterior: otherwise the class would be forgotten. All rows do
    where not even two are labelled.
    """
    rows = easy_set(losses, samples.labels, samples.num_classes, seed=seed, balanced=settings.balanced)
    votes = vote_by_anchors(embeddings, samples.labels, samples.num_classes, rows, settings, seed=seed, head=head)
    labelled = rows.easy | votes.decided | np.isin(samples.labels, rows.missing)
    if labelled.sum() < 2:
        labelled = np.ones(len(samples), bool)
    weight = np.where(votes.decided, votes.shares.max(axis=1), rows.posterior)
    return division_of(labelled, votes.labels, weight, samples.num_classes)


def _head_of(model: Classifier) -> Head:
    return Head(*(value.detach().cpu().numpy().copy() for value in (model.head.weight, model.head.bias)))

"""Training on rows that have labels and rows whose labels are not believed: one network, MixMatch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric, seed_everything

from anomaly_mlflow.data.batches import to_float
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.batch_targets import batch_targets, batches_of
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_fits, check_loss, check_weights
from anomaly_mlflow.training.mixmatch import (
    DEFAULT,
    MixMatchSettings,
    mixed,
    mixing_share,
    mixmatch_loss,
    prior_penalty,
    ramp,
)
from anomaly_mlflow.training.under_way import Net, begin

__all__ = ["Division", "division_of", "fit_semi_supervised", "mixed_epoch"]


@dataclass(frozen=True)
class Division:
    """What is believed of each of n rows.

    labelled: bool (n,), rows that have a label. targets: float32 (n, C), it, one-hot or soft. weight: float32 (n,),
    0 to 1, trust in it: the rest of the target is what the network itself predicts. Raises BadData where no row is
    labelled or the shapes do not fit.
    """

    labelled: np.ndarray
    targets: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.labelled) == len(self.targets) == len(self.weight) or not self.labelled.any():
            raise BadData(f"{self.labelled.sum()} of {len(self.targets)} rows are labelled; one is the least")


def division_of(labelled: np.ndarray, labels: np.ndarray, weight: np.ndarray, num_classes: int) -> Division:
    """A division with one-hot targets; labels: int64 (n,), read where a row is labelled."""
    return Division(labelled, np.eye(num_classes, dtype=np.float32)[labels], weight.astype(np.float32))


def fit_semi_supervised(
    samples: Samples,
    division: Division,
    config: TrainConfig,
    settings: MixMatchSettings = DEFAULT,
    *,
    seed: int,
    device: str = "auto",
    on_epoch: Callable[[int, Classifier, float], None] | None = None,
) -> Classifier:
    """Train a fresh model by MixMatch on a division that stays as it is; the samples' own labels are not read.

    seed: fixes weights, order, augmentation and mixing. on_epoch: called with epoch, model and mean cross-entropy of
    the mixed labelled rows (nats). Raises TrainingDiverged, BadData, BadOption.
    """
    fabric = Fabric(accelerator=device, devices=1, precision=config.precision)
    seed_everything(seed, verbose=False)
    check_fits(samples, config, np.arange(len(samples)), every_class=False)
    net = begin(fabric, samples, config, seed)
    with Feed(samples.images, config.augmentation, fabric.device) as feed:
        for epoch in range(config.epochs):
            loss = mixed_epoch(net, feed, division, settings, epoch)
            if on_epoch:
                on_epoch(epoch, net.classifier, loss)
    check_weights(net.model, config)
    return net.classifier.eval()


def mixed_epoch(
    net: Net,
    feed: Feed,
    division: Division,
    settings: MixMatchSettings,
    epoch: int,
    *,
    start: int = 0,
    other: Net | None = None,
) -> float:
    """One epoch of MixMatch; returns the mean cross-entropy of the mixed labelled rows, nats. Raises TrainingDiverged.

    start: the epoch in which the unlabelled rows begin to count; other: a second network that guesses with this one
    what the unlabelled rows are (co-guessing of DivideMix). As in the code of the authors a network guesses as it is
    trained, on the statistics of the batch, the other one as it is evaluated, both on two augmentations.
    """
    device = net.fabric.device
    targets, weight = (torch.from_numpy(values).to(device) for values in (division.targets, division.weight))
    batches = list(batches_of(division.labelled, net.config.batch_size, net.order))
    views = (np.concatenate([rows, rows]) for rows, _ in batches)
    length = settings.ramp_share * net.config.epochs
    net.model.train()
    if other:
        other.model.eval()
    losses = []
    for number, (rows, images) in enumerate(feed.epoch(views, net.order)):
        known = batches[number][1]
        at = torch.from_numpy(rows[: len(rows) // 2]).to(device)
        views_now = to_float(images)
        goals = batch_targets(net, other, views_now, known, targets[at], weight[at], settings.temperature)
        labelled = (torch.arange(len(at), device=device) < known).repeat(2)
        share = mixing_share(settings.alpha, net.mixing)
        order = torch.from_numpy(net.mixing.permutation(len(rows))).to(device)
        logits = net.model(mixed(views_now, order, share))
        cross_entropy, squared_error = mixmatch_loss(logits, mixed(goals.repeat(2, 1), order, share), labelled)
        # As many of both kinds are a batch of the authors; where there are fewer unlabelled rows, each counts alike.
        scale = settings.unlabelled_weight * min(1.0, (len(at) - known) / known)
        scale *= ramp(epoch + number / len(batches), start, length)
        net.step(cross_entropy + scale * squared_error + settings.prior_weight * prior_penalty(logits))
        losses.append(cross_entropy.detach())
    mean_loss = float(torch.stack(losses).mean())
    check_loss(mean_loss, epoch, targets.shape[1], net.config)
    return mean_loss

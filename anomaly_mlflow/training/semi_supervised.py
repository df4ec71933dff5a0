"""Training on rows that have labels and rows whose labels are not believed: one network, MixMatch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric, seed_everything

from anomaly_mlflow.data.batches import batch_count, to_float
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_fits, check_loss, check_weights
from anomaly_mlflow.training.mixmatch import (
    MixMatchSettings,
    mixed,
    mixing_share,
    mixmatch_loss,
    prior_penalty,
    ramp,
    refined,
    sharpen,
)
from anomaly_mlflow.training.under_way import Net, begin

__all__ = [
    "PUBLISHED",
    "Division",
    "batch_targets",
    "batches_of",
    "division_of",
    "fit_semi_supervised",
    "guess",
    "mixed_epoch",
]

PUBLISHED = MixMatchSettings(alpha=0.75, unlabelled_weight=75.0, ramp_share=1.0, prior_weight=0.0)
"""MixMatch on CIFAR-10; without its moving average of the weights, which needs longer trainings."""


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
    settings: MixMatchSettings = PUBLISHED,
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
    what the unlabelled rows are (co-guessing of DivideMix). Networks guess without dropout, on two augmentations.
    """
    device = net.fabric.device
    targets, weight = (torch.from_numpy(values).to(device) for values in (division.targets, division.weight))
    batches = list(batches_of(division.labelled, net.config.batch_size, net.order))
    views = (np.concatenate([rows, rows]) for rows, _ in batches)
    length = settings.ramp_share * net.config.epochs
    losses = []
    for number, (rows, images) in enumerate(feed.epoch(views, net.order)):
        known = batches[number][1]
        at = torch.from_numpy(rows[: len(rows) // 2]).to(device)
        views_now = to_float(images)
        goals = batch_targets(net, other, views_now, known, targets[at], weight[at], settings.temperature)
        labelled = (torch.arange(len(at), device=device) < known).repeat(2)
        share = mixing_share(settings.alpha, net.mixing)
        order = torch.from_numpy(net.mixing.permutation(len(rows))).to(device)
        net.model.train()
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


def batches_of(labelled: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int]]:
    """Rows of each batch of an epoch, labelled ones first, and how many these are; as many batches as all rows make.

    Every row comes once where at least half of them are labelled; else labelled rows are repeated, and unlabelled ones
    left out, until both kinds are equally many.
    """
    with_label, without = rng.permutation(np.flatnonzero(labelled)), rng.permutation(np.flatnonzero(~labelled))
    without = without[: len(labelled) // 2]
    repeats = [rng.permutation(with_label) for _ in range((len(labelled) - len(without)) // len(with_label))]
    with_label = np.concatenate([with_label, *repeats])[: len(labelled) - len(without)]
    count = batch_count(len(labelled), batch_size)
    for known, guessed in zip(np.array_split(with_label, count), np.array_split(without, count)[::-1], strict=True):
        yield np.concatenate([known, guessed]), len(known)


@torch.no_grad()
def guess(nets: list[Net], images: torch.Tensor) -> torch.Tensor:
    """Mean of what the networks predict for two views of each image, float32 (n, C), without dropout.

    images: float (2 n, channels, height, width), all first views, then all second ones.
    """
    predicted = []
    for net in nets:
        net.model.eval()
        predicted.append(net.model(images).softmax(dim=1))
    return torch.stack(predicted).mean(dim=0).view(2, len(images) // 2, -1).mean(dim=0)


def batch_targets(
    net: Net,
    other: Net | None,
    images: torch.Tensor,
    known: int,
    targets: torch.Tensor,
    weight: torch.Tensor,
    temperature: float,
) -> torch.Tensor:
    """Targets of a batch, float32 (b, C): of the `known` first rows refined, of the others guessed and sharpened.

    other: guesses with `net` what the others are; images: float (2 b, ...), two views as in `guess`; targets (b, C) and
    weight (b,) are read of the first rows only.
    """
    own = guess([net], images)
    goals = refined(targets, weight, own, temperature)
    if known < len(targets):
        guessed = own[known:]
        if other:
            pictures = images.view(2, len(targets), *images.shape[1:])[:, known:].flatten(0, 1)
            guessed = (guessed + guess([other], pictures)) / 2
        goals[known:] = sharpen(guessed, temperature)
    return goals

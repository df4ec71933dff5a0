"""Batches of labelled and unlabelled rows, and what the network is to answer on them (MixMatch, DivideMix)."""

from collections.abc import Iterator

import numpy as np
import torch

from anomaly_mlflow.data.batches import batch_count
from anomaly_mlflow.training.mixmatch import refined, sharpen
from anomaly_mlflow.training.under_way import Net

__all__ = ["batch_targets", "batches_of", "guess"]


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
def guess(net: Net, images: torch.Tensor) -> torch.Tensor:
    """Mean of what the network predicts for two views of each image, float32 (n, C).

    images: float (2 n, channels, height, width), all first views, then all second ones.
    """
    return net.model(images).softmax(dim=1).view(2, len(images) // 2, -1).mean(dim=0)


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
    own = guess(net, images)
    goals = refined(targets, weight, own, temperature)
    if known < len(targets):
        guessed = own[known:]
        if other:
            pictures = images.view(2, len(targets), *images.shape[1:])[:, known:].flatten(0, 1)
            guessed = (guessed + guess(other, pictures)) / 2
        goals[known:] = sharpen(guessed, temperature)
    return goals

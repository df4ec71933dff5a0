"""Crop, flip and conversion to float alone: whole batches of ours against torchvision's transforms of PIL images."""

from functools import partial

import numpy as np
import torch
from torchvision import transforms

from anomaly_mlflow.data.batches import balanced_batches, to_float
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from benchmarks.images import cifar, kind
from benchmarks.measure import interleaved, one_thread, ratio_of_medians
from benchmarks.plain import Pictures, pipeline
from benchmarks.rows import Row, publish

SIZE, BATCH, ROUNDS = 10_000, 256, 15
BAR = (4.0, float("inf"))


def main() -> None:
    """One pass over the images each, without normalisation: ours is part of the model."""
    one_thread()
    samples = cifar(SIZE)
    variants = {"ours": partial(_ours, samples), "torchvision": partial(_torchvision, samples)}
    for warm_up in variants.values():
        warm_up()
    seconds = interleaved(variants, ROUNDS)
    rates = {name: SIZE / np.median(values) for name, values in seconds.items()}
    note = f"{rates['ours']:,.0f} against {rates['torchvision']:,.0f} images per CPU s, {kind()}"
    ratio = ratio_of_medians(seconds["torchvision"], seconds["ours"])
    publish([Row("augmentation: ours / torchvision with PIL", *ratio, ROUNDS, BAR, note)])


def _ours(samples: Samples) -> None:
    rng = np.random.default_rng(0)
    feed = Feed(samples.images, "flip", torch.device("cpu"))
    for _, images in feed.epoch(balanced_batches(np.arange(len(samples)), BATCH, rng), rng):
        to_float(images)


def _torchvision(samples: Samples) -> None:
    pictures = Pictures(samples, transforms.Compose(pipeline().transforms[:-1]))
    for rows in np.array_split(np.random.default_rng(0).permutation(len(samples)), len(samples) // BATCH):
        torch.stack([pictures[row][0] for row in rows])


if __name__ == "__main__":
    main()

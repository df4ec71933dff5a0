"""Metadata that names a class beside an image: consistent with it, contradicting it, or noisy."""

import numpy as np

from anomaly_mlflow.anomalies.glitch_labels import noisy_labels
from anomaly_mlflow.anomalies.injector import generator
from anomaly_mlflow.errors import BadOption

__all__ = ["conflict_pairs", "noisy_codes", "training_codes"]


def training_codes(labels: np.ndarray, num_classes: int, consistent_share: float, seed: int) -> np.ndarray:
    """The class that each training image's metadata names, int64 (n,): its own but for round((1 - share) n) of them.

    The others name another class, uniformly drawn, the same in every epoch.
    """
    return noisy_labels(labels, num_classes, 1 - consistent_share, seed, "metadata")


def noisy_codes(codes: np.ndarray, num_classes: int, noise: float, rng: np.random.Generator) -> np.ndarray:
    """A copy of int64 (b,) in which each code is another class's with probability `noise`, uniformly drawn.

    Drawn anew at each call: what differs between epochs cannot be learnt by heart, as inconsistent pairs can.
    """
    hit, step = rng.random(len(codes)) < noise, rng.integers(1, num_classes, len(codes))
    return np.where(hit, (codes + step) % num_classes, codes)


def conflict_pairs(labels: np.ndarray, num_classes: int, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and contradicting metadata classes, int64 (number,) each: no pair twice, no class that is the image's own.

    Every image comes once before one comes twice, with another class each time; a larger number keeps the pairs of a
    smaller one. Raises BadOption where there are fewer pairs than asked for.
    """
    rounds = -(-number // len(labels))
    if rounds > num_classes - 1:
        most = len(labels) * (num_classes - 1)
        raise BadOption(f"pairs={number} is more than the {most} that {len(labels)} test images allow; lower it")
    rng = generator(seed, "conflict pairs")
    order = rng.permutation(len(labels))
    steps = rng.permuted(np.tile(np.arange(1, num_classes), (len(labels), 1)), axis=1)[:, :rounds]
    rows = np.tile(order, rounds)[:number]
    return rows, (labels[rows] + steps[order].T.ravel()[:number]) % num_classes

"""Part-dependent label noise: what a row's label becomes depends on its pixels."""

import numpy as np
from scipy.special import softmax
from scipy.stats import truncnorm

from anomaly_mlflow.anomalies.convention import Draw, convention
from anomaly_mlflow.anomalies.injector import Host, generator, row_uniform
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.on_disk import chunks, read
from anomaly_mlflow.errors import BadOption

__all__ = ["flip_rates", "part_dependent"]

DEVIATION = 0.1


@convention(AnomalyType.RANDOM_FLIP, "Xia et al. (2020), NeurIPS (part-dependent noise), and its reference code")
def part_dependent(host: Host, rate: float, free: np.ndarray) -> Draw:
    """Each row has a flip rate of its own around the rate, and goes to a class that a random map of its pixels prefers.

    Flip rates as in `flip_rates`; target by softmax(x W_y) over the other classes, W_y ~ N(0, 1)^(d x C) of the true
    class y, x the flattened image with mean 0 and deviation 1 in each channel of the set (the code takes raw pixels).
    The real rate is the mean of the flip rates to within the draw. Rows that are not free are made up for by the rest.
    """
    wanted = rate * len(free) / max(1, free.sum())
    if wanted > 1:
        needed = f"convention part_dependent needs {rate:.1%} of all rows, {free.mean():.1%} are free"
        raise BadOption(f"{needed}; lower convention_rate")
    flipped = generator(host.seed, "part_dependent", "flips").random(len(free))
    rows = np.flatnonzero(free & (flipped < flip_rates(host, wanted)))
    labels, drawn = host.samples.labels[rows], row_uniform(host, "part_dependent")[rows]
    targets, channels = labels.copy(), _channels(host.samples.images)
    for label in np.unique(labels):
        own = labels == label
        ladder = np.cumsum(_preferences(host, rows[own], label, *channels), axis=1)
        targets[own] = (drawn[own, None] * ladder[:, -1:] >= ladder).sum(axis=1)
    return rows, targets


def flip_rates(host: Host, mean: float) -> np.ndarray:
    """q ~ N(mean, 0.1^2) truncated to 0..1, float64 (n,): a larger mean raises every row's.

    The truncation keeps their average above a `mean` near 0: .08 for 0.
    """
    low, high = -mean / DEVIATION, (1 - mean) / DEVIATION
    uniform = generator(host.seed, "part_dependent", "rates").random(len(host.samples))
    return truncnorm.ppf(uniform, low, high, loc=mean, scale=DEVIATION)


def _preferences(host: Host, rows: np.ndarray, label: int, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """softmax(x W_y) without class y, float64 (m, C), of rows of one class y."""
    images, shape = host.samples.images, host.samples.image_shape
    width, classes = int(np.prod(shape)), host.samples.num_classes
    weights = generator(host.seed, "part_dependent", f"class {label}").standard_normal((width, classes))
    scores = np.empty((len(rows), classes))
    for part in chunks(len(rows), shape):
        scores[part] = ((read(images, rows[part]) - mean) / deviation).reshape(-1, width) @ weights
    scores[:, label] = -np.inf
    return softmax(scores, axis=1)


def _channels(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each channel over the set, float64 (channels,); 1 for a channel without any."""
    total = np.zeros((2, images.shape[3]))
    for part in chunks(len(images), images.shape[1:]):
        values = read(images, np.arange(len(images))[part]).astype(np.float64)
        total += [values.sum(axis=(0, 1, 2)), (values**2).sum(axis=(0, 1, 2))]
    mean, square = total / np.prod(images.shape[:3])
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    return mean, np.where(deviation > 0, deviation, 1.0)

"""Rows in batches, and what batches are made of."""

from collections.abc import Iterator

import numpy as np
import torch

from anomaly_mlflow.data.on_disk import chunks, read

__all__ = ["balanced_batches", "batch_count", "channel_moments", "to_float"]


def channel_moments(images: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel, float64 (channels,), in 0..1, over these rows.

    images: uint8 (n, height, width, channels). Counted by grey level, so exact however many pixels there are: a sum in
    float32 stops growing at 2**24.
    """
    counts = np.zeros((images.shape[3], 256), np.int64)
    for part in chunks(len(rows), images.shape[1:]):
        pixels = read(images, rows[part])
        for channel, count in enumerate(counts):
            count += np.bincount(pixels[..., channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ levels
    return mean, np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(axis=1))


def batch_count(n: int, batch_size: int) -> int:
    """Batches that n rows make: as near to the wanted size as goes, and two rows at least in each."""
    return max(1, min(round(n / batch_size), n // 2))


def balanced_batches(rows: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Shuffle `rows` and yield them in batches whose sizes differ by one at most.

    Every row comes exactly once. A tail batch of a few rows would wreck batch normalisation.
    """
    yield from np.array_split(rng.permutation(rows), batch_count(len(rows), batch_size))


def to_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 (n, height, width, channels) to float32 (n, channels, height, width) in 0..1, channels last in memory."""
    return images.permute(0, 3, 1, 2).to(torch.float32).div_(255)

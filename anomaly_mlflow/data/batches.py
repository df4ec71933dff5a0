"""The whole set in memory on the device; batches are rows of it."""

from collections.abc import Iterator

import numpy as np
import torch

__all__ = ["balanced_batches", "to_float"]


def balanced_batches(rows: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Shuffle `rows` and yield them in batches whose sizes differ by one at most.

    Every row comes exactly once. A tail batch of a few rows would wreck batch normalisation.
    """
    count = max(1, round(len(rows) / batch_size))
    yield from np.array_split(rng.permutation(rows), count)


def to_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 (n, height, width, channels) to float32 (n, channels, height, width) in 0..1, channels last in memory."""
    return images.permute(0, 3, 1, 2).to(torch.float32).div_(255)

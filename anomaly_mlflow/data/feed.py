"""Augmented batches of a set, in the order that a random generator draws."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from anomaly_mlflow.data.augment import Augmenter
from anomaly_mlflow.data.batches import resident

__all__ = ["Feed"]


class Feed:
    """Cuts augmented batches out of images in memory on the device, or on disk.

    images: uint8 (n, height, width, channels); kind: augmentation by name.
    """

    def __init__(self, images: np.ndarray, kind: str, device: torch.device):
        self._draw = Augmenter(resident(images, device), kind)
        self._device = device

    def epoch(
        self, batches: Iterable[np.ndarray], rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
        """Rows and their augmented images, uint8 (b, height, width, channels) on the device, batch by batch."""
        for rows in batches:
            yield rows, self._draw(rows, rng).to(self._device)

"""Augmented batches of a set, in the order that a random generator draws."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from anomaly_mlflow.data.augment import draw_windows, pixel_index
from anomaly_mlflow.data.on_disk import file_of
from anomaly_mlflow.data.read_ahead import ReadAhead

__all__ = ["Feed"]


class Feed:
    """Cuts augmented batches out of images in memory on the device; a set on disk is read ahead by another process.

    images: uint8 (n, height, width, channels); kind: augmentation by name. All draws are made here, in the same order
    wherever the images are. To be closed, or used as a context manager: that ends the process.
    """

    def __init__(self, images: np.ndarray, kind: str, device: torch.device):
        self._shape, self._kind, self._device = images.shape[1:], kind, device
        self._images = images  # its file goes when the last array that shows it does
        file = file_of(images)
        self._ahead = ReadAhead(file) if file else None
        self._pixels = None if file else _resident(images, device)

    def epoch(
        self, batches: Iterable[np.ndarray], rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
        """Rows and their augmented images, uint8 (b, height, width, channels) on the device, batch by batch."""
        drawn = ((rows, *draw_windows(self._shape, self._kind, len(rows), rng)) for rows in batches)
        if self._ahead:
            for rows, images in self._ahead.cut(drawn):
                yield rows, torch.from_numpy(images).to(self._device)
        else:
            for rows, y, x in drawn:
                yield rows, self._cut(*(torch.from_numpy(index).to(self._device) for index in (rows, y, x)))

    def _cut(self, rows: torch.Tensor, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        windows = self._pixels.index_select(0, pixel_index(rows, y, x, self._shape))
        return windows.view(len(rows), *self._shape)

    def close(self) -> None:
        """End the reading process; what it has read ahead is dropped."""
        if self._ahead:
            self._ahead.close()

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _resident(images: np.ndarray, device: torch.device) -> torch.Tensor:
    pixels = images.reshape(-1, images.shape[3])
    return (torch.from_numpy(pixels) if pixels.flags.writeable else torch.tensor(pixels)).to(device)

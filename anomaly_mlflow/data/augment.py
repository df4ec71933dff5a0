"""Random crop and flip on whole batches of uint8 images."""

from dataclasses import dataclass

import numpy as np
import torch

__all__ = ["AUGMENTATIONS", "Augmenter"]

AUGMENTATIONS = ("none", "crop", "flip")


@dataclass(frozen=True)
class Augmenter:
    """Cuts random windows out of the set as it would be with its border mirrored; nothing but the batch is copied.

    images: uint8 (n, height, width, channels) on the device, or on disk; kind: `none`, `crop` (shift by up to a
    sixteenth of the side, one pixel at least) or `flip` (crop and horizontal mirror).
    """

    images: torch.Tensor
    kind: str

    def __call__(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """uint8 (len(rows), height, width, channels)."""
        height, width = self.images.shape[1:3]
        y = self._windows(height, len(rows), rng)
        x = self._windows(width, len(rows), rng)
        if self.kind == "flip":
            x = np.where(rng.random((len(rows), 1)) < 0.5, x[:, ::-1], x)
        device = self.images.device
        at = [torch.from_numpy(np.ascontiguousarray(index)).to(device) for index in (rows, y, x)]
        return self.images[at[0][:, None, None], at[1][:, :, None], at[2][:, None, :]]

    @property
    def _margin(self) -> int:
        side = min(self.images.shape[1:3])
        return 0 if self.kind == "none" or side == 1 else max(1, side // 16)

    def _windows(self, length: int, n: int, rng: np.random.Generator) -> np.ndarray:
        start = rng.integers(0, 2 * self._margin + 1, (n, 1))
        index = np.abs(start + np.arange(length) - self._margin)
        return np.minimum(index, 2 * (length - 1) - index)  # beyond the border stands the mirror image

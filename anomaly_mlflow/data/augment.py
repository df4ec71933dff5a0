"""Random crop and flip on whole batches of uint8 images."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import pad

__all__ = ["AUGMENTATIONS", "Augmenter"]

AUGMENTATIONS = ("none", "crop", "flip")


@dataclass(frozen=True)
class Augmenter:
    """Cuts random windows out of the padded set.

    images: uint8 (n, height, width, channels) on the device; kind: `none`, `crop` (shift by up to a
    sixteenth of the side, one pixel at least) or `flip` (crop and horizontal mirror).
    """

    images: torch.Tensor
    kind: str

    def __post_init__(self) -> None:
        side = min(self.images.shape[1:3])
        margin = 0 if self.kind == "none" or side == 1 else max(1, side // 16)
        channels_first = self.images.permute(0, 3, 1, 2)
        padded = (
            pad(channels_first.float(), (margin,) * 4, mode="reflect").to(torch.uint8) if margin else channels_first
        )
        object.__setattr__(self, "_margin", margin)
        object.__setattr__(self, "_padded", padded.permute(0, 2, 3, 1).contiguous())

    def __call__(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """uint8 (len(rows), height, width, channels)."""
        height, width = self.images.shape[1:3]
        y = self._windows(height, len(rows), rng)
        x = self._windows(width, len(rows), rng)
        if self.kind == "flip":
            x = np.where(rng.random((len(rows), 1)) < 0.5, x[:, ::-1], x)
        device = self._padded.device
        at = [torch.from_numpy(np.ascontiguousarray(index)).to(device) for index in (rows, y, x)]
        return self._padded[at[0][:, None, None], at[1][:, :, None], at[2][:, None, :]]

    def _windows(self, length: int, n: int, rng: np.random.Generator) -> np.ndarray:
        start = rng.integers(0, 2 * self._margin + 1, (n, 1))
        return start + np.arange(length)

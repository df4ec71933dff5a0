"""How far a damaged image is from the whole one for an eye, so that damage of different kinds can be compared."""

import numpy as np
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

__all__ = ["structural_similarity"]

BATCH = 500
WINDOW = 11


def structural_similarity(images: np.ndarray, damaged: np.ndarray) -> np.ndarray:
    """Structural similarity (SSIM) of each pair, float64 (n,), 1 for equal images, mean over channels and positions.

    images, damaged: uint8 (n, height, width, channels). Wang et al. (2004), Image quality assessment, with their
    Gaussian window of 11 pixels (sigma 1.5); images of fewer pixels a side get a uniform one of 7.
    """
    small = min(images.shape[1:3]) < WINDOW
    found = [
        structural_similarity_index_measure(
            _pixels(damaged[start : start + BATCH]),
            _pixels(images[start : start + BATCH]),
            gaussian_kernel=not small,
            kernel_size=7 if small else WINDOW,
            data_range=1.0,
            reduction="none",
        )
        for start in range(0, len(images), BATCH)
    ]
    return torch.cat([one.reshape(-1) for one in found]).double().numpy()


def _pixels(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255

"""Images whose parts change places."""

import numpy as np

__all__ = ["PATCHES", "rearranged"]

PATCHES = 4
"""Parts a side: an image has its square."""


def rearranged(images: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The images cut into 16 parts, part order[:, i] in place i; uint8 (n, height, width, channels), a copy.

    order: int64 (n, 16), or (16,) for all. Only parts of one size change places: a side that 4 does not divide leaves
    a rim as it is.
    """
    n, height, width, channels = images.shape
    high, wide = height // PATCHES, width // PATCHES
    moved = images.copy()
    parts = images[:, : PATCHES * high, : PATCHES * wide].reshape(n, PATCHES, high, PATCHES, wide, channels)
    parts = parts.swapaxes(2, 3).reshape(n, PATCHES**2, high, wide, channels)
    parts = parts[np.arange(n)[:, None], np.broadcast_to(order, (n, PATCHES**2))]
    parts = parts.reshape(n, PATCHES, PATCHES, high, wide, channels).swapaxes(2, 3)
    moved[:, : PATCHES * high, : PATCHES * wide] = parts.reshape(n, PATCHES * high, PATCHES * wide, channels)
    return moved

"""Pixels in blocks: images may be larger than memory, or a file mapped into it."""

from collections.abc import Callable

import numpy as np
from sklearn.preprocessing import normalize

__all__ = ["by_block", "grey", "thumbnails"]

BLOCK = 2**21
"""Values worked on at a time."""
LUMA = np.array([19595, 38470, 7471])
"""ITU-R BT.601 weights of red, green and blue in units of 2^-16, as Pillow has them."""
SIDE = 8


def by_block(rows: np.ndarray, measure: Callable[..., np.ndarray], *beside: np.ndarray, copies: int = 1) -> np.ndarray:
    """measure(rows, *beside) of blocks of rows, put together; copies: how often it holds the values of its rows."""
    step = max(1, BLOCK // (copies * int(np.prod(rows.shape[1:]))))
    starts = range(0, len(rows), step)
    return np.concatenate([measure(*(array[start : start + step] for array in (rows, *beside))) for start in starts])


def grey(images: np.ndarray) -> np.ndarray:
    """Grey values 0 .. 255, int64 (n, height, width), equal to Pillow's mode L."""
    if images.shape[3] == 1:
        return images[..., 0].astype(np.int64)
    red, green, blue = np.moveaxis(images.astype(np.int64), 3, 0)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue + 2**15) >> 16


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Means of 8 x 8 areas, less the mean of the image, scaled to length 1 (blank: 0); float32 (n, 64 x channels)."""
    return by_block(images, _thumbnails)


def _thumbnails(images: np.ndarray) -> np.ndarray:
    means = _areas(_areas(images.astype(np.float32), 1), 2).reshape(len(images), -1)
    return normalize(means - means.mean(axis=1, keepdims=True))


def _areas(images: np.ndarray, axis: int) -> np.ndarray:
    size = images.shape[axis]
    starts = np.arange(min(SIDE, size)) * size // min(SIDE, size)
    widths = np.diff(starts, append=size).reshape([-1 if each == axis else 1 for each in range(4)])
    return np.add.reduceat(images, starts, axis=axis) / widths.astype(np.float32)

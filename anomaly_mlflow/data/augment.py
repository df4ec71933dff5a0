"""Random crop and flip on whole batches of uint8 images: what to cut is drawn first, and where it is cut may differ."""

import numpy as np

__all__ = ["AUGMENTATIONS", "draw_windows", "pixel_index"]

AUGMENTATIONS = ("none", "crop", "flip")


def draw_windows(
    shape: tuple[int, int, int], kind: str, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of n random windows of an image as it would be with its border mirrored.

    shape: height, width, channels; kind: `none`, `crop` (shift by up to a sixteenth of the side, one pixel at least)
    or `flip` (crop and horizontal mirror). Returns int64 (n, height) and (n, width), positions within the image.
    """
    height, width = shape[:2]
    margin = 0 if kind == "none" or min(height, width) == 1 else max(1, min(height, width) // 16)
    y, x = (_inside(rng.integers(0, 2 * margin + 1, (n, 1)) - margin, length) for length in (height, width))
    if kind == "flip":
        x = np.where(rng.random((n, 1)) < 0.5, x[:, ::-1], x)
    return y, x


def pixel_index(rows: np.ndarray, y: np.ndarray, x: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Where the windows' pixels lie in the set laid out as (n * height * width, channels), int64 (b * height * width,).

    rows: int64 (b,); y, x: as drawn; arrays, or tensors on one device. One index of whole pixels is gathered three
    times as fast as an index for each axis.
    """
    height, width = shape[:2]
    return (((rows[:, None] * height + y) * width)[:, :, None] + x[:, None, :]).reshape(-1)


def _inside(shift: np.ndarray, length: int) -> np.ndarray:
    index = np.abs(shift + np.arange(length))
    return np.minimum(index, 2 * (length - 1) - index)  # beyond the border stands the mirror image

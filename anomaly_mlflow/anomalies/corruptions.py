"""Damage to images that leaves their content, and so their label, as it is."""

import numpy as np

__all__ = ["CORRUPTIONS", "brightness", "stripes"]

GREY_SHIFT, COLOUR_SHIFT = 0.5, 0.3
"""Severity 5 of MNIST-C and of CIFAR-10-C, in units of the full range."""


def brightness(images: np.ndarray) -> np.ndarray:
    """The value of HSV raised by 0.5 (grey) or 0.3 (colour) of the range and clipped; hue and saturation stay.

    images: uint8 (n, height, width, 1 or 3); the same comes back. Hendrycks and Dietterich (2019), ICLR, severity 5 for
    CIFAR-10; Mu and Gilmer (2019), arXiv:1906.02337, `brightness` for MNIST.
    """
    pixels = images / 255.0
    value = pixels.max(axis=3, keepdims=True)
    raised = np.minimum(value + (GREY_SHIFT if images.shape[3] == 1 else COLOUR_SHIFT), 1.0)
    black = value == 0  # has no hue: it becomes grey
    scaled = np.where(black, raised, pixels * raised / np.where(black, 1.0, value))
    return np.round(255 * scaled).astype(np.uint8)


def stripes(images: np.ndarray) -> np.ndarray:
    """The left and the right quarter of the columns inverted, x -> 255 - x.

    images: uint8 (n, height, width, channels); the same comes back. Mu and Gilmer (2019), arXiv:1906.02337, `stripe`
    (columns 0 to 6 and 21 to 27 of 28).
    """
    quarter = images.shape[2] // 4
    damaged = images.copy()
    for columns in (slice(0, quarter), slice(images.shape[2] - quarter, None)):
        damaged[:, :, columns] = 255 - images[:, :, columns]
    return damaged


CORRUPTIONS = {"brightness": brightness, "stripes": stripes}

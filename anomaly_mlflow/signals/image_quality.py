"""What is wrong with an image whatever it shows (family `image`); the label is never seen.

Definitions after CleanVision 0.3, turned and without its thresholds; all lie in 0 .. 1. Images of the width and height
that the model sees: left out are CleanVision's shrinking to 64 pixels before it looks for blur and its second look at
the grey histogram; its entropy has another scale.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import ImageDefect
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.pixels import by_block, grey

__all__ = ["blurry", "dark", "light", "low_information"]

NEEDS = ("images",)
SOURCE = "CleanVision (2022), github.com/cleanlab/cleanvision"
PERCEIVED = np.array([0.241, 0.691, 0.068])
LEVELS = 256
SHARP = 100.0


@signal("image", NEEDS, (ImageDefect.DARK,), f"{SOURCE}: dark", "pixels")
def dark(evidence: Evidence) -> np.ndarray:
    """1 - the 99th percentile of the brightness of the pixels, sqrt(.241 r^2 + .691 g^2 + .068 b^2) / 255."""
    return 1 - by_block(evidence.images, lambda images: _brightness(images, 99))


@signal("image", NEEDS, (ImageDefect.LIGHT,), f"{SOURCE}: light", "pixels")
def light(evidence: Evidence) -> np.ndarray:
    """The 5th percentile of the brightness of the pixels, sqrt(.241 r^2 + .691 g^2 + .068 b^2) / 255."""
    return by_block(evidence.images, lambda images: _brightness(images, 5))


@signal("image", NEEDS, (ImageDefect.BLURRY,), f"{SOURCE}: blurry; variance of the Laplacian", "pixels")
def blurry(evidence: Evidence) -> np.ndarray:
    """exp(-s / 100), s = standard deviation of the Laplacian of the grey values.

    The Laplacian is 8 times the pixel less its 8 neighbours, cut to 0 .. 255, the border left as it is (Pillow's
    FIND_EDGES).
    """
    return by_block(evidence.images, lambda images: np.exp(-_laplacian(images).std(axis=(1, 2)) / SHARP))


@signal("image", NEEDS, (ImageDefect.LOW_INFORMATION,), f"{SOURCE}: low_information, on grey values", "pixels")
def low_information(evidence: Evidence) -> np.ndarray:
    """1 - H / 8, H = entropy of the histogram of grey values in bits."""
    return 1 - by_block(evidence.images, _entropy) / np.log2(LEVELS)


def _brightness(images: np.ndarray, percentile: int) -> np.ndarray:
    if images.shape[3] == 1:
        brightness = images[..., 0] / 255
    else:
        brightness = np.sqrt(images.astype(np.float64) ** 2 @ PERCEIVED) / 255
    return np.percentile(brightness, percentile, axis=(1, 2))


def _laplacian(images: np.ndarray) -> np.ndarray:
    edges = grey(images)
    if min(edges.shape[1:]) < 3:
        return edges
    rows = edges[:, :-2] + edges[:, 1:-1] + edges[:, 2:]
    around = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    edges[:, 1:-1, 1:-1] = np.clip(9 * edges[:, 1:-1, 1:-1] - around, 0, LEVELS - 1)
    return edges


def _entropy(images: np.ndarray) -> np.ndarray:
    values = grey(images).reshape(len(images), -1)
    cells = np.arange(len(values))[:, None] * LEVELS + values
    share = np.bincount(cells.ravel(), minlength=len(values) * LEVELS).reshape(-1, LEVELS) / values.shape[1]
    return -(share * np.log2(share, out=np.zeros_like(share), where=share > 0)).sum(axis=1)

"""Damage to images in grades, for models that never saw it: one interface, a severity of 0 changes nothing."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torchvision.transforms import ElasticTransform
from torchvision.transforms.v2 import functional

from anomaly_mlflow.anomalies.injector import generator
from anomaly_mlflow.data.on_disk import chunks, read
from anomaly_mlflow.errors import UnknownName

__all__ = ["GRADED", "Corruption", "chosen_corruptions", "corrupted"]

Damage = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Corruption:
    """A way to damage images. severities: ascending from 0, which is the image itself; unit: what they count.

    damage: float32 (n, height, width, channels) in 0..1, severity, generator -> the same shape, not clipped.
    """

    name: str
    severities: tuple[float, ...]
    unit: str
    damage: Damage


def corrupted(corruption: Corruption, images: np.ndarray, severity: float, seed: int) -> np.ndarray:
    """The images damaged to this severity, clipped to 0..1 and rounded to 256 levels once.

    images: uint8 (n, height, width, channels); the same comes back, at severity 0 the array itself. All draws follow
    the seed and the position of the row, and are the same at every severity, so that two severities differ in nothing
    else. The images are those before a model's normalisation.
    """
    if severity == 0:
        return images
    drawn, damaged = generator(seed, "corruption", corruption.name), np.empty(images.shape, np.uint8)
    for part in chunks(len(images), images.shape[1:]):
        pixels = read(images, np.arange(len(images))[part]).astype(np.float32) / 255
        damaged[part] = np.round(255 * np.clip(corruption.damage(pixels, severity, drawn), 0, 1))
    return damaged


def chosen_corruptions(text: str) -> list[Corruption]:
    """Those named, separated by commas, each once and in the order of `GRADED`; `all`. Raises UnknownName."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name != "all" and name not in GRADED:
            raise UnknownName("corruption", name, GRADED)
    return [one for name, one in GRADED.items() if "all" in names or name in names]


def gaussian_noise(pixels: np.ndarray, sigma: float, drawn: np.random.Generator) -> np.ndarray:
    """Independent normal noise of standard deviation sigma on every channel of every pixel."""
    return pixels + np.float32(sigma) * drawn.standard_normal(pixels.shape, np.float32)


def gaussian_blur(pixels: np.ndarray, sigma: float, drawn: np.random.Generator) -> np.ndarray:
    """Each channel convolved with a normal kernel of sigma pixels, cut at 4 sigma; beyond the border the edge goes on.

    As in Hendrycks and Dietterich (2019), ICLR, before they took to defocus.
    """
    return gaussian_filter(pixels, (0, sigma, sigma, 0), mode="nearest", truncate=4.0)


def jpeg(pixels: np.ndarray, severity: float, drawn: np.random.Generator) -> np.ndarray:
    """JPEG compression at quality 100 - severity (libjpeg's scale), by Pillow."""
    encoded = np.empty(pixels.shape, np.float32)
    for image, target in zip(np.round(255 * pixels).astype(np.uint8), encoded, strict=True):
        file = io.BytesIO()
        Image.fromarray(image.squeeze()).save(file, "JPEG", quality=round(100 - severity))
        with Image.open(file) as decoded:
            target[:] = np.asarray(decoded, np.float32).reshape(target.shape) / 255
    return encoded


def brightness(pixels: np.ndarray, severity: float, drawn: np.random.Generator) -> np.ndarray:
    """Every value times 1 + severity."""
    return _back(functional.adjust_brightness(_forth(pixels), 1 + severity))


def contrast(pixels: np.ndarray, severity: float, drawn: np.random.Generator) -> np.ndarray:
    """Every value drawn towards the image's mean grey: 1 - severity of the distance is left."""
    return _back(functional.adjust_contrast(_forth(pixels), 1 - severity))


def elastic(pixels: np.ndarray, severity: float, drawn: np.random.Generator) -> np.ndarray:
    """A smooth random displacement of each image's pixels; severity: its scale alpha for 32 pixels a side.

    Simard, Steinkraus and Platt (2003), as torchvision has it; its kernel has a tenth of the shorter side as sigma, one
    pixel at least, and no more than fits into the image.
    """
    images, (height, width) = _forth(pixels), pixels.shape[1:3]
    shorter, alpha = min(height, width), [severity * side / 32 for side in (height, width)]
    sigma = [min(max(1.0, shorter / 10), (shorter - 1) / 4)] * 2
    with torch.random.fork_rng(devices=[]):  # torchvision draws from the global stream
        torch.manual_seed(int(drawn.integers(2**31)))
        moved = [
            functional.elastic(image, ElasticTransform.get_params(alpha, sigma, [height, width])) for image in images
        ]
    return _back(torch.stack(moved))


def _forth(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))


def _back(pixels: torch.Tensor) -> np.ndarray:
    return pixels.permute(0, 2, 3, 1).numpy()


GRADED: dict[str, Corruption] = {
    one.name: one
    for one in (
        Corruption("gaussian_noise", (0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.2), "sigma, of 0..1", gaussian_noise),
        Corruption("gaussian_blur", (0, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5), "sigma, pixels", gaussian_blur),
        Corruption("jpeg", (0, 40, 60, 75, 85, 90, 95), "100 less the quality", jpeg),
        Corruption("brightness", (0, 0.2, 0.4, 0.6, 0.8, 1.0), "added share of each value", brightness),
        Corruption("contrast", (0, 0.2, 0.4, 0.6, 0.8, 0.9), "lost share of the contrast", contrast),
        Corruption("elastic", (0, 10, 20, 40, 60), "scale of the displacement", elastic),
    )
}

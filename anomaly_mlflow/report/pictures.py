"""Pictures as data URIs, so that a page needs no other file."""

import base64
import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

__all__ = ["figure_uri", "picture_uri"]

LARGEST = 128  # pixels of the longer side of an embedded sample


def picture_uri(image: np.ndarray) -> str:
    """A sample as PNG: uint8 (height, width, 1 or 3), shrunk where a side is above 128 pixels, never enlarged."""
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    picture.thumbnail((LARGEST, LARGEST))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return _uri(buffer)


def figure_uri(figure: Figure) -> str:
    """A figure as PNG at twice the resolution of a plain screen."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160)
    return _uri(buffer)


def _uri(buffer: io.BytesIO) -> str:
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

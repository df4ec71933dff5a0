"""Put images through the processing that another set has been through."""

import io

import numpy as np
from PIL import Image

from anomaly_mlflow.data.on_disk import chunks, empty_images
from anomaly_mlflow.data.samples import Encoding

__all__ = ["re_encode"]


def re_encode(images: np.ndarray, encoding: Encoding) -> np.ndarray:
    """The images, uint8 (n, height, width, channels), in the set's grey values and after its JPEG compression.

    Same shape and dtype. Without it a detector of strangers reads the processing and not the content.
    """
    if encoding.levels is None and encoding.jpeg_tables is None:
        return images
    encoded = empty_images(len(images), images.shape[1:])
    for part in chunks(len(images), images.shape[1:]):
        encoded[part] = images[part] if encoding.levels is None else _quantise(images[part], encoding.levels)
        if encoding.jpeg_tables is not None:
            for image in encoded[part]:
                image[:] = _through_jpeg(image, encoding)
    return encoded


def _quantise(images: np.ndarray, levels: int) -> np.ndarray:
    steps = levels - 1
    return np.round(np.round(images * (steps / 255)) * (255 / steps)).astype(np.uint8)


def _through_jpeg(image: np.ndarray, encoding: Encoding) -> np.ndarray:
    file = io.BytesIO()
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    tables = [list(table) for table in encoding.jpeg_tables or ()]
    picture.save(file, "JPEG", qtables=tables, subsampling=encoding.jpeg_subsampling)
    with Image.open(file) as decoded:
        return np.asarray(decoded).reshape(image.shape)

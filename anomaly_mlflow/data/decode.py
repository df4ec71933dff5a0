"""Raw images -> one uint8 array of one shape, and the encoding they had."""

import io
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import numpy as np
from PIL import Image, JpegImagePlugin

from anomaly_mlflow.data.listing import MOST_BYTES, Raw
from anomaly_mlflow.data.on_disk import CHUNK, empty_images, forget
from anomaly_mlflow.data.samples import Encoding
from anomaly_mlflow.errors import BadData

__all__ = ["SMALLEST", "Pictures", "decode"]

# Pillow also opens formats that run a program (EPS) or are no pictures; data from strangers meets only these.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
GREY_MODES = {"1", "L", "LA", "I;16", "I;16L", "I;16B"}

Shape = tuple[int, int, int]

SMALLEST = 4
"""Pixels a side."""


@dataclass(frozen=True)
class Pictures:
    """Decoded images: uint8 (rows that decode, height, width, channels), in the order asked for.

    kept: bool (n,), rows that decode; failures: row -> why not; resized: number of images brought to the common size.
    """

    images: np.ndarray
    kept: np.ndarray
    failures: dict[int, str]
    resized: int
    encoding: Encoding


@dataclass(frozen=True)
class _Header:
    size: tuple[int, int]
    grey: bool
    jpeg: tuple[tuple[tuple[int, ...], ...], int] | None


def decode(
    read: Callable[[], Iterable[Raw]], shape: Shape | None = None, levels: int | None = None, size: int | None = None
) -> Pictures:
    """All images that decode, brought to `shape` (height, width, channels).

    read: called twice, so that neither the files nor odd-sized pictures are held in memory; yields the same raw images.
    shape: by default size x size, or the most common size, and grey only if every image is. Sizes change by Lanczos
    with antialiasing. Images above Pillow's decompression-bomb limit count as ones that do not decode.
    The array is a file where it would fill half of the free memory.
    Raises BadData where no image decodes, most are smaller than 4 pixels a side, or the disk has no room for that file.
    """
    headers, known = {}, {}

    def note(row: int, image: Image.Image) -> None:
        header = _header(image)
        headers[row] = known.setdefault(header, header)  # quantisation tables of a million files are mostly the same

    failures = _each(read(), note)
    if not headers:
        raise _nothing(failures)
    shape = shape or _common_shape(headers.values(), size)
    if min(shape[:2]) < SMALLEST:
        raise BadData(
            f"images of {shape[1]}x{shape[0]} pixels are too small; image_size={SMALLEST} or more enlarges them"
        )
    images, kept = empty_images(len(headers), shape), np.zeros(len(headers) + len(failures), dtype=bool)
    places, step = count(), max(1, CHUNK // int(np.prod(shape)))

    def fill(row: int, image: Image.Image) -> None:
        pixels = _pixels(image, shape)
        place = next(places)
        images[place] = pixels
        kept[row] = True
        if place % step == 0:
            forget(images)

    failures = _each(read(), fill)
    if not kept.any():
        raise _nothing(failures)
    resized = sum(headers[row].size != (shape[1], shape[0]) for row in np.flatnonzero(kept))
    # Scaling smooths grey levels and JPEG blocks away: a set that is mostly scaled has no encoding to speak of.
    encoding = _encoding(headers.values(), levels) if 2 * resized <= kept.sum() else Encoding()
    return Pictures(images[: kept.sum()], kept, failures, resized, encoding)


def _nothing(failures: dict[int, str]) -> BadData:
    return BadData(f"none of the {len(failures)} images decodes: {next(iter(failures.values()), 'there are none')}")


def _each(raws: Iterable[Raw], look: Callable[[int, Image.Image], None]) -> dict[int, str]:
    failures = {}
    with _bombs_are_errors():
        for row, raw in enumerate(raws):
            try:
                with _open(raw) as image:
                    look(row, image)
            except Exception as error:  # Pillow's plugins raise nearly anything on broken bytes
                failures[row] = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:100]}"
    return failures


@contextmanager
def _bombs_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _open(raw: Raw) -> Image.Image:
    if raw is None:
        raise ValueError(f"no bytes, or more than {MOST_BYTES >> 20} MB")
    if isinstance(raw, np.ndarray):
        return Image.fromarray(raw)
    return Image.open(io.BytesIO(raw), formats=FORMATS)


def _header(image: Image.Image) -> _Header:
    jpeg = None
    if image.format in ("JPEG", "MPO"):
        tables = tuple(tuple(table) for _, table in sorted(image.quantization.items()))
        jpeg = (tables, max(0, JpegImagePlugin.get_sampling(image)))
    return _Header(image.size, image.mode in GREY_MODES, jpeg)


def _pixels(image: Image.Image, shape: Shape) -> np.ndarray:
    height, width, channels = shape
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode}; save as 8 bit")
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image, dtype=np.uint8).reshape(shape)


def _common_shape(headers: Collection[_Header], size: int | None) -> Shape:
    (width, height), _ = Counter(header.size for header in headers).most_common(1)[0]
    return size or height, size or width, 1 if all(header.grey for header in headers) else 3


def _encoding(headers: Iterable[_Header], levels: int | None) -> Encoding:
    (jpeg, _), *_ = Counter(header.jpeg for header in headers).most_common(1)
    tables, subsampling = jpeg or (None, 0)
    return Encoding(levels, tables, subsampling)

"""Raw images -> one uint8 array of one shape, and the encoding they had."""

import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import psutil
from PIL import Image, JpegImagePlugin

from anomaly_mlflow.data.listing import Raw
from anomaly_mlflow.data.samples import Encoding
from anomaly_mlflow.errors import BadData

__all__ = ["Pictures", "decode"]

# Pillow also opens formats that run a program (EPS) or are no pictures; data from strangers meets only these.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
GREY_MODES = {"1", "L", "LA", "I;16", "I;16L", "I;16B"}

Shape = tuple[int, int, int]


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


def decode(read: Callable[[], Iterable[Raw]], shape: Shape | None = None, levels: int | None = None) -> Pictures:
    """All images that decode, brought to `shape` (height, width, channels).

    read: called twice, so that neither the files nor odd-sized pictures are held in memory; yields the same raw images.
    shape: by default the most common size, and grey only if every image is. Sizes change by Lanczos with antialiasing.
    Images above Pillow's decompression-bomb limit count as ones that do not decode.
    Raises BadData where no image decodes or the array would not fit into memory.
    """
    headers, failures = _each(read(), _header)
    if not headers:
        raise _nothing(failures)
    shape = shape or _common_shape(headers.values())
    _check_memory(len(headers), shape)
    images, failures = _each(read(), lambda image: _pixels(image, shape))
    if not images:
        raise _nothing(failures)
    kept = np.ones(len(images) + len(failures), dtype=bool)
    kept[list(failures)] = False
    resized = sum(headers[row].size != (shape[1], shape[0]) for row in images)
    return Pictures(np.stack(list(images.values())), kept, failures, resized, _encoding(headers.values(), levels))


def _nothing(failures: dict[int, str]) -> BadData:
    return BadData(f"none of the {len(failures)} images decodes: {next(iter(failures.values()), 'there are none')}")


def _each(raws: Iterable[Raw], look: Callable[[Image.Image], object]) -> tuple[dict, dict[int, str]]:
    found, failures = {}, {}
    with _bombs_are_errors():
        for row, raw in enumerate(raws):
            try:
                with _open(raw) as image:
                    found[row] = look(image)
            except Exception as error:  # Pillow's plugins raise nearly anything on broken bytes
                failures[row] = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:100]}"
    return found, failures


@contextmanager
def _bombs_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _open(raw: Raw) -> Image.Image:
    if raw is None:
        raise ValueError("no bytes")
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


def _common_shape(headers: Iterable[_Header]) -> Shape:
    headers = list(headers)
    (width, height), _ = Counter(header.size for header in headers).most_common(1)[0]
    return height, width, 1 if all(header.grey for header in headers) else 3


def _check_memory(number: int, shape: Shape) -> None:
    # Twice: the single images and the stacked array stand side by side for a moment.
    need, free = 2 * number * int(np.prod(shape)), psutil.virtual_memory().available
    if need > free:
        memory = f"{need / 1e9:.0f} GB of memory, and {free / 1e9:.0f} are free"
        raise BadData(f"{number} images of {shape[1]}x{shape[0]} take {memory}; scale the files down first")


def _encoding(headers: Iterable[_Header], levels: int | None) -> Encoding:
    (jpeg, _), *_ = Counter(header.jpeg for header in headers).most_common(1)
    tables, subsampling = jpeg or (None, 0)
    return Encoding(levels, tables, subsampling)

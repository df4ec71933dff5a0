"""Image arrays that do not fit into memory: files that the operating system maps in as they are read."""

import atexit
import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import psutil

from anomaly_mlflow.errors import BadData

__all__ = ["ImageFile", "chunks", "copied", "each", "empty_images", "file_of", "forget", "is_on_disk", "read", "taken"]

CHUNK = 1 << 24
"""Bytes of pixels that a pass over a set holds at once."""


def empty_images(n: int, shape: tuple[int, int, int]) -> np.ndarray:
    """An array uint8 (n, *shape) to be filled: in memory, or a file where it takes more than half of the free memory.

    The file lies in a temporary folder ($TMPDIR), goes when the array goes, and the folder when the process ends.
    Raises BadData where the folder has no room for it.
    """
    need = n * int(np.prod(shape))
    if need <= psutil.virtual_memory().available // 2:
        return np.empty((n, *shape), np.uint8)
    descriptor, name = tempfile.mkstemp(suffix=".images", dir=_folder())
    try:
        _reserve(descriptor, need, f"{n} images of {shape[1]}x{shape[0]}")
    except BaseException:
        Path(name).unlink()
        raise
    finally:
        os.close(descriptor)
    # Shared, not copy-on-write: Linux refuses a private map larger than the memory, and a worker would miss the edits.
    images = np.memmap(name, np.uint8, "r+", shape=(n, *shape))
    weakref.finalize(images, _remove, name)
    return images


def is_on_disk(images: np.ndarray) -> bool:
    """Whether the array is a file of `empty_images`, and not one that joblib passes on read-only."""
    return getattr(images, "filename", None) is not None and images.flags.writeable


@dataclass(frozen=True)
class ImageFile:
    """The file behind an array of `empty_images`, for who reads it past the map, as another process does.

    offset: bytes before the first image; shape: height, width, channels.
    """

    path: str
    offset: int
    shape: tuple[int, int, int]

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The images at these positions, uint8 (len(rows), *shape). Raises OSError where the file ends before one."""
        images = np.empty((len(rows), *self.shape), np.uint8)
        size = int(np.prod(self.shape))
        with open(self.path, "rb", buffering=0) as file:
            for image, row in zip(images, rows.tolist(), strict=True):
                file.seek(self.offset + row * size)
                if file.readinto(image) != size:
                    raise OSError(f"{self.path} ends before the end of image {row}")
        return images


def file_of(images: np.ndarray) -> ImageFile | None:
    """The file of an array that is on disk, or of consecutive rows of one; None for an array in memory."""
    if not is_on_disk(images) or not images.flags.c_contiguous:
        return None
    whole = images
    while isinstance(whole.base, np.memmap):
        whole = whole.base
    return ImageFile(str(images.filename), whole.offset + images.ctypes.data - whole.ctypes.data, images.shape[1:])


def read(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A copy of `images[rows]`, rows int64 (b,). Of a set on disk nothing else comes into this process's memory."""
    file = file_of(images)
    return file.read(rows) if file else images[rows]


def forget(images: np.ndarray) -> None:
    """Take pages of a set on disk that were written or looked at off this process's memory; the file keeps them."""
    if is_on_disk(images):
        images._mmap.madvise(mmap.MADV_DONTNEED)


def chunks(n: int, shape: tuple[int, int, int]) -> Iterator[slice]:
    """Consecutive slices of n rows of this shape, each of some 16 MB of pixels."""
    step = max(1, CHUNK // int(np.prod(shape)))
    return (slice(start, start + step) for start in range(0, n, step))


def each(images: np.ndarray) -> Iterator[np.ndarray]:
    """One image after the other; of a set on disk a few at a time are in memory."""
    for part in chunks(len(images), images.shape[1:]):
        yield from read(images, np.arange(len(images))[part]) if is_on_disk(images) else images[part]


def copied(images: np.ndarray) -> np.ndarray:
    """A copy that may be written to, on disk where it does not fit into memory."""
    return taken(images, np.arange(len(images)))


def taken(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`images[rows]` (indices or a boolean mask), on disk where it does not fit into memory."""
    rows = np.flatnonzero(rows) if rows.dtype == bool else rows
    target = empty_images(len(rows), images.shape[1:])
    for part in chunks(len(rows), images.shape[1:]):
        target[part] = read(images, rows[part])
        forget(target)
    return target


@cache
def _folder() -> str:
    folder = tempfile.TemporaryDirectory(prefix="anomaly-mlflow-")
    atexit.register(folder.cleanup)
    return folder.name


def _reserve(descriptor: int, need: int, what: str) -> None:
    free = shutil.disk_usage(_folder()).free
    try:
        if need > free:
            raise OSError
        if hasattr(os, "posix_fallocate"):  # a file with holes would kill the process once the disk is full
            os.posix_fallocate(descriptor, 0, need)
        else:
            os.truncate(descriptor, need)
    except OSError:
        room = f"{need / 1e9:.1f} GB, more than half of the memory, and {tempfile.gettempdir()} has {free / 1e9:.1f} GB"
        raise BadData(f"{what} take {room}; lower image_size or subset, or let TMPDIR name a larger disk") from None


def _remove(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)

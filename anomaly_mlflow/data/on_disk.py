"""Image arrays that do not fit into memory: files that the operating system maps in as they are read."""

import atexit
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import psutil

from anomaly_mlflow.errors import BadData

__all__ = ["chunks", "copied", "empty_images", "is_on_disk", "taken"]

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


def chunks(n: int, shape: tuple[int, int, int]) -> Iterator[slice]:
    """Consecutive slices of n rows of this shape, each of some 16 MB of pixels."""
    step = max(1, CHUNK // int(np.prod(shape)))
    return (slice(start, start + step) for start in range(0, n, step))


def copied(images: np.ndarray) -> np.ndarray:
    """A copy that may be written to, on disk where it does not fit into memory."""
    return taken(images, np.arange(len(images)))


def taken(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`images[rows]` (indices or a boolean mask), on disk where it does not fit into memory."""
    rows = np.flatnonzero(rows) if rows.dtype == bool else rows
    target = empty_images(len(rows), images.shape[1:])
    for part in chunks(len(rows), images.shape[1:]):
        target[part] = images[rows[part]]
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

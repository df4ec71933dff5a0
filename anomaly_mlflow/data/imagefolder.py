"""The source `imagefolder:PATH`: one folder per class."""

import hashlib
import os
from pathlib import Path

import numpy as np

from anomaly_mlflow.data.listing import MOST_BYTES, Listing, Spec, source
from anomaly_mlflow.data.names import set_name
from anomaly_mlflow.errors import BadData

__all__ = ["imagefolder"]

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


@source(path=True)
def imagefolder(spec: Spec) -> Listing:
    """The images below the class folders of a folder, classes in the order of their names.

    sample_id is the position in the sorted list of all image files, readable or not, so a file that breaks moves no id.
    Raises BadData where the folder is missing or holds no class folder with an image.
    """
    root = spec.path
    if not root.is_dir():
        raise BadData(f"{root} is no folder; imagefolder:PATH names a folder with one folder per class")
    classes = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    files = [(label, file) for label, name in enumerate(classes) for file in _images(root / name)]
    if not files:
        raise BadData(f"{root} holds no images in class folders; put the images of each class in a folder of its name")
    paths = [file for _, file in files]
    ids = np.arange(len(files), dtype=np.int64)
    return Listing(
        name=set_name(root),
        classes=tuple(classes),
        labels=np.array([label for label, _ in files], dtype=np.int64),
        sample_id=ids,
        groups=ids,
        read=lambda rows: (_bytes(paths[row]) for row in rows),
        title=lambda row: str(paths[row].relative_to(root)),
        digest=lambda: _digest(root, paths),
    )


def _images(folder: Path) -> list[Path]:
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    return sorted((path for path in paths if path.is_file()), key=Path.as_posix)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError:
        return None


def _digest(root: Path, paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        state = path.stat()
        total.update(os.fsencode(path.relative_to(root)) + f"\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return total.hexdigest()

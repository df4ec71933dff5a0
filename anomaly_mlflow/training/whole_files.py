"""Files that are whole even after a power cut."""

import os
from pathlib import Path

__all__ = ["put_in_place", "write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Write text aside (`.part`) and put it in place; the folder is made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text)
    put_in_place(part, path)


def put_in_place(part: Path, path: Path) -> None:
    """Rename a written file within its folder, once its content is on the disk: the path never names half a file."""
    _to_disk(part)
    part.replace(path)
    _to_disk(path.parent)


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

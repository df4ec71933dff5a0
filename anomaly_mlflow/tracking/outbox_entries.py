"""What is to be sent to a run, on disk: an entry is a small JSON file, renamed once it was sent."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from anomaly_mlflow.errors import BadData

__all__ = ["Entries", "Entry"]

WAITING, SENT = ".json", ".sent"


@dataclass(frozen=True)
class Entry:
    """What is sent in one go: the files, then the metrics.

    step: epoch; files: path below the outbox's folder -> sha256 (hex); timestamp: milliseconds since 1970;
    newest_only: a file that later ones replace, without metrics and digest.
    """

    step: int
    files: dict[str, str]
    metrics: dict[str, float]
    timestamp: int
    newest_only: bool = False


class Entries:
    """The entries in a folder by name, those that wait and those that were sent. Raises BadData on a damaged one."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.waiting = {path.stem: _read(path) for path in folder.glob(f"*{WAITING}")}
        self._sent = {path.stem: _read(path) for path in folder.glob(f"*{SENT}") if path.stem not in self.waiting}

    def __iter__(self) -> Iterator[Entry]:
        return iter((*self._sent.values(), *self.waiting.values()))

    def get(self, name: str) -> Entry | None:
        """The entry of this name, sent or not."""
        return self.waiting.get(name) or self._sent.get(name)

    def next(self) -> tuple[str, Entry]:
        """Name and entry whose turn it is: by step, an epoch before the files that later ones replace."""
        return min(self.waiting.items(), key=lambda item: (item[1].step, item[1].newest_only))

    def add(self, name: str, entry: Entry) -> None:
        """Let an entry wait, in the place of an earlier one of this name; written aside and renamed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{name}.part"
        with open(part, "w") as file:
            file.write(json.dumps(asdict(entry)))
            file.flush()
            os.fsync(file.fileno())  # after a power cut an entry may be gone, but never half there
        part.replace(self._folder / f"{name}{WAITING}")
        self.waiting[name] = entry

    def mark_sent(self, name: str, entry: Entry) -> None:
        """Note that an entry was sent; nothing happens if another took its place meanwhile."""
        if self.waiting.get(name) is entry:
            (self._folder / f"{name}{WAITING}").replace(self._folder / f"{name}{SENT}")
            self._sent[name] = self.waiting.pop(name)

    def drop_without_files(self, root: Path) -> None:
        """Forget what waits and has lost a file below root."""
        for name, entry in list(self.waiting.items()):
            if not all((root / path).is_file() for path in entry.files):
                (self._folder / f"{name}{WAITING}").unlink()
                del self.waiting[name]


def _read(path: Path) -> Entry:
    try:
        entry = Entry(**json.loads(path.read_text()))
        _check(entry)
        return entry
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadData(f"{path} cannot be read ({error}); remove it, and that epoch is not sent") from None


def _check(entry: Entry) -> None:
    """Raises ValueError, AttributeError or TypeError where a value has another type, or a file lies elsewhere."""
    if not all(type(number) is int and 0 <= number < 2**63 for number in (entry.step, entry.timestamp)):
        raise ValueError("step and timestamp must be whole numbers from 0 on")
    if not all(type(value) in (int, float) for value in entry.metrics.values()):
        raise ValueError("metrics must be numbers")
    if not all(isinstance(digest, str) for digest in entry.files.values()):
        raise ValueError("digests must be text")
    outside = [name for name in entry.files if Path(name).is_absolute() or ".." in Path(name).parts]
    if outside:
        raise ValueError(f"{outside[0][:100]!r} does not lie below the folder")

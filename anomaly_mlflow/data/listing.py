"""What a data set holds before any image is decoded, and the registry of sources."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anomaly_mlflow.errors import BadOption, UnknownName

__all__ = ["MOST_BYTES", "SOURCES", "Listing", "Raw", "Spec", "from_arrays", "list_source", "parse", "source"]

Raw = bytes | np.ndarray | None

MOST_BYTES = 1 << 26
"""An encoded image with more counts as one that does not decode."""


@dataclass(frozen=True)
class Spec:
    """A source as typed: `name[:PATH][?column=value&column=value]`."""

    name: str
    path: Path | None = None
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Listing:
    """The rows of a data set, and how to read some of them.

    labels, sample_id, groups: int64 (n,); groups holds known source groups, duplicates not yet joined.
    read: ascending rows -> one raw image a row, in that order: encoded bytes, a uint8 array, or None where missing.
    title: row -> how a message names it; digest: sha256 hex that changes when the data does.
    levels: number of grey values of the images, None for 256.
    """

    name: str
    classes: tuple[str, ...]
    labels: np.ndarray
    sample_id: np.ndarray
    groups: np.ndarray
    read: Callable[[np.ndarray], Iterator[Raw]]
    title: Callable[[int], str]
    digest: Callable[[], str]
    levels: int | None = None


def from_arrays(
    name: str, classes: tuple[str, ...], images: np.ndarray, labels: np.ndarray, levels: int | None = None
) -> Listing:
    """The listing of a set that is in memory: images uint8 (n, height, width[, channels]), labels int64 (n,)."""
    ids = np.arange(len(images), dtype=np.int64)
    return Listing(
        name=name,
        classes=classes,
        labels=np.asarray(labels, dtype=np.int64),
        sample_id=ids,
        groups=ids,
        read=lambda rows: (images[row] for row in rows),
        title=lambda row: f"index {row}",
        digest=lambda: _digest(images, labels),
        levels=levels,
    )


def _digest(images: np.ndarray, labels: np.ndarray) -> str:
    total = hashlib.sha256(repr(images.shape).encode() + np.asarray(labels, "<i8").tobytes())
    total.update(np.ascontiguousarray(images))
    return total.hexdigest()


@dataclass(frozen=True)
class _Source:
    function: Callable[[Spec], Listing]
    path: bool
    where: bool


SOURCES: dict[str, _Source] = {}


def source(*, path: bool = False, where: bool = False) -> Callable:
    """Register a function Spec -> Listing under its own name; path: it needs one; where: it takes `?column=value`.

    Raises ValueError on a taken name.
    """

    def register(function: Callable[[Spec], Listing]) -> Callable[[Spec], Listing]:
        name = function.__name__
        if name in SOURCES:
            raise ValueError(f"source '{name}' is registered already")
        SOURCES[name] = _Source(function, path, where)
        return function

    return register


def parse(text: str) -> Spec:
    """The parts of a spec; raises BadOption where `?...` is no list of column=value."""
    head, mark, tail = text.rpartition("?")
    if not mark:
        head, tail = text, ""
    name, _, path = head.partition(":")
    where = tuple(tuple(part.split("=", 1)) for part in tail.split("&")) if mark else ()
    if any(len(part) != 2 or not part[0] for part in where):
        raise BadOption(f"source '{text}': write a filter as ?column=value, several joined with &")
    return Spec(name, _expanded(path) if path else None, where)


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise BadOption(f"path '{path}': {error}") from None


def list_source(text: str) -> Listing:
    """The listing of a spec.

    Raises UnknownName for an unknown source, BadOption for a path or filter it does not take, BadData from the source.
    """
    spec = parse(text)
    if spec.name not in SOURCES:
        raise UnknownName("source", spec.name, SOURCES)
    entry = SOURCES[spec.name]
    if entry.path and spec.path is None:
        raise BadOption(f"source '{text}' needs a path: write {spec.name}:PATH")
    if spec.path is not None and not entry.path:
        raise BadOption(f"source '{spec.name}' takes no path; write {spec.name}")
    if spec.where and not entry.where:
        raise BadOption(f"source '{spec.name}' takes no filter ?column=value")
    return entry.function(spec)

"""Nearest neighbours, searched once and shared by the signals that need them."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

__all__ = ["Neighbours", "nearest"]


@dataclass(frozen=True)
class Neighbours:
    """The k nearest of each row, nearest first; read-only.

    distance: float (n, k), Euclidean; index: int64 (n, k), positions among the rows that were searched.
    """

    distance: np.ndarray
    index: np.ndarray

    def __post_init__(self) -> None:
        self.distance.flags.writeable = False
        self.index.flags.writeable = False

    @property
    def cosine_distance(self) -> np.ndarray:
        """1 - cosine, (n, k), where the rows are unit vectors."""
        return self.distance**2 / 2


def nearest(rows: np.ndarray, count: int, queries: np.ndarray | None = None) -> Neighbours:
    """The `count` nearest of `rows` (r, d) to each query (n, d), all of them where there are fewer.

    Without queries, to each row itself, which is left out. Exact, in small blocks of memory.
    """
    available = len(rows) - (queries is None)
    if available == 0:
        return Neighbours(np.empty((len(rows), 0)), np.empty((len(rows), 0), np.int64))
    search = NearestNeighbors(n_neighbors=min(count, available), algorithm="brute").fit(rows)
    return Neighbours(*search.kneighbors(queries))

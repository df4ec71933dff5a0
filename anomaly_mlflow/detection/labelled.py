"""The rows that a detector learns from: signals, and which side each row is on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Labelled"]


@dataclass(frozen=True)
class Labelled:
    """The rows of a task: signals X float64 (seeds, n, columns), positive bool (n,), groups int64 (n,), sample_id."""

    X: np.ndarray
    columns: tuple[str, ...]
    positive: np.ndarray
    groups: np.ndarray
    sample_id: np.ndarray

    def rows(self, chosen: np.ndarray) -> "Labelled":
        """These rows alone."""
        kept = (self.positive[chosen], self.groups[chosen], self.sample_id[chosen])
        return Labelled(self.X[:, chosen], self.columns, *kept)

    def only(self, columns: Sequence[str]) -> "Labelled":
        """These columns alone, in the order of the table."""
        where = [position for position, column in enumerate(self.columns) if column in set(columns)]
        names = tuple(self.columns[position] for position in where)
        return Labelled(self.X[:, :, where], names, self.positive, self.groups, self.sample_id)

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X (seeds * n, columns), positive and groups of all seeds under one another."""
        seeds = len(self.X)
        return np.concatenate(self.X), np.tile(self.positive, seeds), np.tile(self.groups, seeds)

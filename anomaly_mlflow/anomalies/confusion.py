"""What people take for what: rates of their confusions, and the near and far pairs in them."""

import numpy as np

from anomaly_mlflow.errors import BadOption

__all__ = ["confusion_rates", "most_confused", "rarest_confused"]

Table = dict[int, tuple[int, ...]]


def confusion_rates(true: np.ndarray, given: np.ndarray, num_classes: int) -> np.ndarray:
    """Share of each class's images that people give each label, float64 (C, C), rows = true.

    true, given: int64 (n,); a class without rows has 0 throughout. Raises BadOption where no two of them differ.
    """
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (true, given), 1)
    if np.trace(counts) == counts.sum():
        raise BadOption("the two columns of confusion never differ; name the true labels and those that people gave")
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def most_confused(rates: np.ndarray) -> Table:
    """Per class the one it is most often taken for (several where they tie); none for a class that nobody confuses."""
    return {label: _tied(row, row.max()) for label, row in _others(rates).items() if row.max() > 0}


def rarest_confused(rates: np.ndarray) -> Table:
    """Per class the one it is most seldom taken for (several where they tie, as at 0).

    A class without rows, or taken for all others equally often, has no entry.
    """
    others = _others(rates)
    return {
        label: _tied(row, np.min(row[row >= 0])) for label, row in others.items() if np.min(row[row >= 0]) < row.max()
    }


def _others(rates: np.ndarray) -> dict[int, np.ndarray]:
    """The rates of each class's confusions, the class itself at -1."""
    off = rates.copy()
    np.fill_diagonal(off, -1)
    return {label: row for label, row in enumerate(off) if rates[label].any()}


def _tied(row: np.ndarray, value: float) -> tuple[int, ...]:
    return tuple(int(other) for other in np.flatnonzero(row == value))

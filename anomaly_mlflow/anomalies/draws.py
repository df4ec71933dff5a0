"""What the conventions of other papers draw: rows and partner classes, each convention in an order of its own."""

import numpy as np

from anomaly_mlflow.anomalies.injector import Host, generator
from anomaly_mlflow.errors import BadOption

__all__ = ["partner_of_each_class", "rows_of_all", "rows_of_classes"]


def partner_of_each_class(host: Host, name: str) -> np.ndarray:
    """One other class for each class, int64 (C,)."""
    classes = host.samples.num_classes
    step = generator(host.seed, name, "partner").integers(1, classes, size=classes)
    return (np.arange(classes) + step) % classes


def rows_of_all(host: Host, name: str, rate: float, free: np.ndarray) -> np.ndarray:
    """round(rate * n) of the free rows, int64 (m,): a larger rate keeps the rows of a smaller one."""
    return _first(host, name, free, round(rate * len(free)))


def rows_of_classes(host: Host, name: str, share: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Of each class a share (float (C,)) of all its rows, taken from the free ones, int64 (m,)."""
    labels = host.samples.labels
    classes = [labels == label for label in range(host.samples.num_classes)]
    picked = [_first(host, name, free & of, round(share[label] * of.sum())) for label, of in enumerate(classes)]
    return np.sort(np.concatenate(picked))


def _first(host: Host, name: str, among: np.ndarray, number: int) -> np.ndarray:
    order = generator(host.seed, name, "rows").permutation(len(among))
    eligible = order[among[order]]
    if len(eligible) < number:
        raise BadOption(f"convention {name} needs {number} rows and {len(eligible)} are free; lower convention_rate")
    return np.sort(eligible[:number])

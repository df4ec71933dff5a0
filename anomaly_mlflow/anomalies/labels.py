"""The three label anomalies: near miss, gross error, random flip."""

import numpy as np

from anomaly_mlflow.anomalies.confusion import Table
from anomaly_mlflow.anomalies.injector import Change, Host, injector, row_uniform
from anomaly_mlflow.anomalies.types import AnomalyType

__all__ = ["from_table", "gross", "near_miss", "random_flip"]


def _has_near(host: Host) -> np.ndarray:
    return np.isin(host.samples.labels, list(host.tables.near))


def _has_far(host: Host) -> np.ndarray:
    return np.isin(host.samples.labels, list(host.tables.far))


def _has_other(host: Host) -> np.ndarray:
    return np.full(len(host.samples), host.samples.num_classes > 1)


@injector(AnomalyType.NEAR_MISS, _has_near)
def near_miss(host: Host, rows: np.ndarray) -> Change:
    """The label becomes a class that looks alike, uniform over the near table's (Patrini et al. 2017)."""
    labels = from_table(host, rows, AnomalyType.NEAR_MISS, host.tables.near)
    return Change(labels, [host.tables.near_source] * len(rows))


@injector(AnomalyType.GROSS, _has_far)
def gross(host: Host, rows: np.ndarray) -> Change:
    """The label becomes a class that nobody confuses with the true one, uniform over the far table's."""
    labels = from_table(host, rows, AnomalyType.GROSS, host.tables.far)
    return Change(labels, [host.tables.far_source] * len(rows))


@injector(AnomalyType.RANDOM_FLIP, _has_other)
def random_flip(host: Host, rows: np.ndarray) -> Change:
    """The label becomes any other class, uniform over C - 1: the true class is excluded, unlike in DivideMix's."""
    others = host.samples.num_classes - 1
    step = 1 + (row_uniform(host, AnomalyType.RANDOM_FLIP)[rows] * others).astype(np.int64)
    return Change((host.samples.labels[rows] + step) % host.samples.num_classes, ["uniform"] * len(rows))


def from_table(host: Host, rows: np.ndarray, kind: str, table: Table) -> np.ndarray:
    """A partner of each row's class, int64 (m,), uniform over the table's; kind: name of the type that draws."""
    drawn = row_uniform(host, kind)[rows]
    choices = [table[label] for label in host.samples.labels[rows].tolist()]
    return np.array([c[int(u * len(c))] for c, u in zip(choices, drawn, strict=True)], dtype=np.int64)

"""The registry of injectors: what one anomaly type does to the rows it is given."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.samples import Samples

__all__ = ["INJECTORS", "Change", "Host", "Injector", "generator", "injector", "row_uniform"]


@dataclass(frozen=True)
class Host:
    """The clean set, and all that an injector may look at.

    strangers_spec, ood_label: where out-of-distribution images come from and which label they get.
    eta: float (n, C), class probabilities of a model that learnt from true labels of other rows; None where unknown.
    """

    samples: Samples
    tables: Tables
    strangers_spec: str
    ood_label: str
    seed: int
    eta: np.ndarray | None = None


@dataclass(frozen=True)
class Change:
    """What becomes of m rows.

    labels: int64 (m,), the new given labels; sources: one line per row, where the change is from.
    images, groups: uint8 (m, height, width, channels) and int64 (m,), where the images are replaced.
    """

    labels: np.ndarray
    sources: list[str]
    images: np.ndarray | None = None
    groups: np.ndarray | None = None


@dataclass(frozen=True)
class Injector:
    """A registered injector. eligible: Host -> bool (n,), rows it can change; apply: Host, rows -> Change."""

    eligible: Callable[[Host], np.ndarray]
    apply: Callable[[Host, np.ndarray], Change]


INJECTORS: dict[AnomalyType, Injector] = {}


def _every_row(host: Host) -> np.ndarray:
    return np.ones(len(host.samples), dtype=bool)


def injector(kind: AnomalyType, eligible: Callable[[Host], np.ndarray] = _every_row) -> Callable:
    """Register how rows become of this type. Raises ValueError where the type has an injector already."""

    def register(apply: Callable[[Host, np.ndarray], Change]) -> Callable[[Host, np.ndarray], Change]:
        if kind in INJECTORS:
            raise ValueError(f"anomaly type '{kind}' has an injector already")
        INJECTORS[kind] = Injector(eligible, apply)
        return apply

    return register


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A random stream of its own for each purpose, so that what one type draws moves no other's."""
    return np.random.default_rng([seed, zlib.crc32(" ".join(purpose).encode())])


def row_uniform(host: Host, kind: str) -> np.ndarray:
    """A number in [0, 1) for every row of the host, float64 (n,): it depends on seed, type and row position alone.

    kind: name of the anomaly type or of the convention that draws.
    """
    return generator(host.seed, kind, "target").random(len(host.samples))

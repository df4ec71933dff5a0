"""The registry of conventions: what a rate of label noise means in a paper, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.anomalies.injector import Host
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import UnknownName

__all__ = ["CONVENTIONS", "Convention", "Draw", "convention", "find_convention"]

Draw = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Convention:
    """A registered convention.

    kind: the type of the rows whose label really changes; source: who makes noise so.
    apply: Host, rate, free rows (bool (n,)) -> rows int64 (m,) and their given labels int64 (m,), which may be true.
    """

    name: str
    kind: AnomalyType
    source: str
    apply: Callable[[Host, float, np.ndarray], Draw]


CONVENTIONS: dict[str, Convention] = {}


def find_convention(name: str) -> Convention:
    """The convention of this name. Raises UnknownName."""
    if name not in CONVENTIONS:
        raise UnknownName("convention", name, CONVENTIONS)
    return CONVENTIONS[name]


def convention(kind: AnomalyType, source: str) -> Callable:
    """Register a function (host, rate, free) -> Draw under its own name. Raises ValueError on a taken name."""

    def register(function: Callable[[Host, float, np.ndarray], Draw]) -> Callable[[Host, float, np.ndarray], Draw]:
        name = function.__name__
        if name in CONVENTIONS:
            raise ValueError(f"convention '{name}' is registered already")
        CONVENTIONS[name] = Convention(name, kind, source, function)
        return function

    return register

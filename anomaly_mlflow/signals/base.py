"""The registry of signals: evidence -> one float per sample, higher = more suspicious."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType, ImageDefect
from anomaly_mlflow.errors import MissingEvidence, UnknownName
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["FAMILIES", "LABEL_FREE", "SIGNALS", "Signal", "Target", "find", "signal"]

Target = AnomalyType | ImageDefect


@dataclass(frozen=True)
class Signal:
    """A registered signal: what it is called, what it needs, what it is meant to find, where it is from, what it costs.

    cost: order of the work beyond the evidence, in n rows, C classes, d dimensions, T epochs, r references.
    all_logits: reads every logit of the recording; approximated where a recording of many classes keeps the largest.
    """

    name: str
    family: str
    needs: tuple[str, ...]
    targets: tuple[Target, ...]
    source: str
    cost: str
    function: Callable[[Evidence], np.ndarray]
    all_logits: bool = False

    @property
    def column(self) -> str:
        """Column name in the feature table."""
        return f"{self.family}.{self.name}"

    def __call__(self, evidence: Evidence) -> np.ndarray:
        """float64 (n,), higher = more suspicious. Raises MissingEvidence naming what is absent."""
        for need in self.needs:
            if getattr(evidence, need) is None:
                raise MissingEvidence(f"signal '{self.name}' needs {need}, which this run has not recorded")
        return np.asarray(self.function(evidence), dtype=np.float64)


SIGNALS: dict[str, Signal] = {}
FAMILIES: dict[str, str] = {
    "uncertainty": "outputs of the final noisy model, never the given label; H2 rests on them",
    "label": "outputs of the noisy model, or of models of other folds, beside the given label",
    "ood": "outputs and embeddings of the final noisy model, never the given label: scores made for strangers",
    "geometry": "embeddings of the cross-fitted clean side; H1 rests on the first of them",
    "representation": "the noisy model's own embeddings and layers, neighbours bearing their given labels",
    "dynamics": "what happened to the given label in training; H3 rests on the first of them",
    "influence": "what training on the row did to the loss of a reference set, by the noisy model's last layer",
    "image": "pixels alone",
}
LABEL_FREE = ("uncertainty", "ood", "image")
"""Families that never see the given label; a law tests it."""


def signal(
    family: str,
    needs: tuple[str, ...],
    targets: tuple[Target, ...],
    source: str,
    cost: str = "nC",
    all_logits: bool = False,
) -> Callable:
    """Register a function of Evidence under its own name.

    Raises ValueError on a taken name, no target, or an unknown family or need.
    """
    unknown = set(needs) - {field.name for field in fields(Evidence)}
    if family not in FAMILIES or unknown or not targets:
        raise ValueError(f"signal family {family!r}, needs {needs}, targets {targets}: one of them is not known")

    def register(function: Callable[[Evidence], np.ndarray]) -> Callable[[Evidence], np.ndarray]:
        name = function.__name__
        if name in SIGNALS:
            raise ValueError(f"signal '{name}' is registered already")
        SIGNALS[name] = Signal(name, family, needs, targets, source, cost, function, all_logits)
        return function

    return register


def find(name: str) -> Signal:
    """The signal of this name. Raises UnknownName that lists the known ones."""
    if name not in SIGNALS:
        raise UnknownName("signal", name, SIGNALS)
    return SIGNALS[name]

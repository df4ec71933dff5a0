"""Evidence, and the registry of signals: evidence -> one float per sample, higher = more suspicious.

Families: `uncertainty` sees the outputs of the final model and never the given label (H2 rests on that, and a law
tests it); `label` sees the same outputs beside the given label; `geometry` the cross-fitted clean side;
`dynamics` the recorded epochs.
"""

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, fields

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData, Leakage, MissingEvidence, UnknownName
from anomaly_mlflow.training.recording import Recording

__all__ = ["FAMILIES", "SIGNALS", "CrossFit", "Evidence", "Signal", "find", "signal"]


@dataclass(frozen=True)
class CrossFit:
    """One fold of the clean side: rows judged by an encoder and references that never saw them.

    rows: int64 (m,), positions of the judged rows; embeddings: float32 (m, d);
    judged_groups, reference_groups: int64, source groups of both sides; checked and not kept, since they tell
        strangers from the rest;
    reference_embeddings: float32 (r, d); reference_labels: int64 (r,), of clean rows of other folds.
    Raises Leakage where a group stands on both sides.
    """

    rows: np.ndarray
    embeddings: np.ndarray
    judged_groups: InitVar[np.ndarray]
    reference_embeddings: np.ndarray
    reference_labels: np.ndarray
    reference_groups: InitVar[np.ndarray]

    def __post_init__(self, judged_groups: np.ndarray, reference_groups: np.ndarray) -> None:
        shared = np.intersect1d(judged_groups, reference_groups)
        if len(shared):
            raise Leakage(
                f"{len(shared)} rows are judged by an encoder that saw them (group {shared[0]}); refit the folds"
            )


@dataclass(frozen=True)
class Evidence:
    """All that a signal may see. The ledger is no part of it.

    sample_id, labels: int64 (n,), labels as given; num_classes: C.
    logits: float32 (n, C), evaluation pass of the noisy model.
    stochastic: float32 (passes, n, C), logits of passes with dropout on.
    recording: logits of the training batches.
    references: the cross-fitted clean side; its folds cover every row once.
    """

    sample_id: np.ndarray
    labels: np.ndarray
    num_classes: int
    logits: np.ndarray | None = None
    stochastic: np.ndarray | None = None
    recording: Recording | None = None
    references: Sequence[CrossFit] | None = None

    def __post_init__(self) -> None:
        if self.recording is not None and not np.array_equal(self.recording.sample_id, self.sample_id):
            raise BadData("the recording and the samples have different ids or another order")
        if self.references is not None:
            judged = np.concatenate([fold.rows for fold in self.references])
            if not np.array_equal(np.sort(judged), np.arange(len(self.labels))):
                raise BadData("the cross-fitted folds must cover every row exactly once")


@dataclass(frozen=True)
class Signal:
    """A registered signal: what it is called, what it needs, what it is meant to find, where it is from."""

    name: str
    family: str
    needs: tuple[str, ...]
    targets: tuple[AnomalyType, ...]
    source: str
    function: Callable[[Evidence], np.ndarray]

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
FAMILIES = ("uncertainty", "label", "geometry", "dynamics")


def signal(family: str, needs: tuple[str, ...], targets: tuple[AnomalyType, ...], source: str) -> Callable:
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
        SIGNALS[name] = Signal(name, family, needs, targets, source, function)
        return function

    return register


def find(name: str) -> Signal:
    """The signal of this name. Raises UnknownName that lists the known ones."""
    if name not in SIGNALS:
        raise UnknownName("signal", name, SIGNALS)
    return SIGNALS[name]

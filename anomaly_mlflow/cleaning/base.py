"""The registry of cleaners: evidence -> trust in every given label, and the label that it should be."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np

from anomaly_mlflow.errors import MissingEvidence, UnknownName
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["CLEANERS", "GROUPS", "MECHANISMS", "OUTSIDE", "Cleaned", "Cleaner", "cleaner", "find_cleaner", "group"]


@dataclass(frozen=True)
class Cleaned:
    """What a cleaner says of n given labels.

    trust: float64 (n,), 0 to 1, higher = the given label is likelier right; 1 - trust is the suspicion.
    kept: bool (n,), the rows that the method itself selects as clean.
    labels: int64 (n,), the label that the method would write: the given one where it proposes no change.
    confidence: float64 (n,), 0 to 1, in `labels`.
    """

    trust: np.ndarray
    kept: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Cleaner:
    """A registered cleaner: what it is called, what it needs, what it looks at, where it is from.

    mechanism: one of MECHANISMS; two cleaners of one mechanism do not count as two witnesses.
    reconstruction: the source's full text was not at hand; what it leaves open is filled in by this project.
    repairs: proposes labels of its own; the others only select.
    """

    name: str
    needs: tuple[str, ...]
    mechanism: str
    source: str
    reconstruction: bool
    repairs: bool
    function: Callable[..., Cleaned]

    def __call__(self, evidence: Evidence, seed: int = 0) -> Cleaned:
        """Clean. Raises MissingEvidence naming what is absent."""
        for need in self.needs:
            if getattr(evidence, need) is None:
                raise MissingEvidence(f"cleaner '{self.name}' needs {need}, which this run has not recorded")
        return self.function(evidence, seed=seed)


CLEANERS: dict[str, Cleaner] = {}
GROUPS: dict[str, dict[str, Cleaner]] = {}
"""Word -> the cleaners that it asks for, by name. Some may be other settings of a cleaner, no part of CLEANERS."""

MECHANISMS: dict[str, str] = {
    "training": "what the noisy model, which was trained on the given label, makes of the row: losses, answers",
    "folds": "what models that never saw the row's label predict",
    "embedding": "where the row lies among the others in the noisy model's embedding",
    "reference": "how the row stands against rows that are trusted",
}
OUTSIDE = frozenset({"folds", "reference"})
"""Mechanisms whose models never saw the row's given label; the others share one network that learnt it."""


def cleaner(
    needs: tuple[str, ...], mechanism: str, source: str, *, reconstruction: bool = False, repairs: bool = True
) -> Callable:
    """Register a function (evidence, *, seed) -> Cleaned under its own name.

    Raises ValueError on a taken name, an unknown mechanism or need.
    """
    unknown = set(needs) - {field.name for field in fields(Evidence)}
    if mechanism not in MECHANISMS or unknown:
        raise ValueError(f"cleaner needs {needs}, mechanism {mechanism!r}: one of them is not known")

    def register(function: Callable[..., Cleaned]) -> Callable[..., Cleaned]:
        name = function.__name__
        if name in CLEANERS:
            raise ValueError(f"cleaner '{name}' is registered already")
        CLEANERS[name] = Cleaner(name, needs, mechanism, source, reconstruction, repairs, function)
        return function

    return register


def group(name: str, cleaners: Iterable[Cleaner]) -> None:
    """Let one word ask for these cleaners, registered or not."""
    GROUPS[name] = {one.name: one for one in cleaners}


def find_cleaner(name: str) -> Cleaner:
    """The cleaner of this name, registered or of a group. Raises UnknownName that lists the registered ones."""
    known = {key: one for members in GROUPS.values() for key, one in members.items()} | CLEANERS
    if name not in known:
        close = [one for one in known if "/" in name and one.startswith(name.partition("/")[0] + "/")]
        raise UnknownName("cleaner", name, CLEANERS, close)
    return known[name]

"""What a sweep chooses: families, a detector with its parameters, a threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna import Trial

from anomaly_mlflow.detection.detectors import DETECTORS, Range, find_detector

__all__ = ["DEFAULT", "Candidate", "candidate", "default_parameters", "families_of", "suggest"]

THRESHOLDS = (0.05, 0.95)


@dataclass(frozen=True)
class Candidate:
    """A detector that could be fitted: its name and parameters, the families it reads, and from which probability a
    row is flagged."""

    detector: str
    parameters: Mapping[str, float]
    families: tuple[str, ...]
    threshold: float

    def columns(self, present: Sequence[str]) -> list[str]:
        """Those of these columns that it reads."""
        return [column for column in present if column.split(".")[0] in self.families]


DEFAULT = "logistic_regression"
"""The default detector: this one on all signals. The search begins with it, threshold .5."""


def default_parameters(families: Sequence[str]) -> dict[str, object]:
    """The default detector as parameters of a trial, so that a sweep begins with it."""
    chosen = {f"family.{family}": True for family in families}
    return {**chosen, "detector": DEFAULT, f"{DEFAULT}.detector__C": 1.0, "threshold": 0.5}


def suggest(trial: Trial, families: Sequence[str]) -> Candidate:
    """Let a trial choose a candidate."""
    for family in families:
        trial.suggest_categorical(f"family.{family}", [True, False])
    name = trial.suggest_categorical("detector", list(DETECTORS))
    for parameter, span in find_detector(name).ranges.items():
        _suggest_from(trial, f"{name}.{parameter}", span)
    trial.suggest_float("threshold", *THRESHOLDS)
    return candidate(trial.params)


def candidate(chosen: Mapping[str, object]) -> Candidate:
    """The candidate that these parameters of a trial mean."""
    name = str(chosen["detector"])
    own = {key.removeprefix(f"{name}."): value for key, value in chosen.items() if key.startswith(f"{name}.")}
    families = tuple(
        key.removeprefix("family.") for key, value in chosen.items() if key.startswith("family.") and value
    )
    return Candidate(name, own, families, float(chosen["threshold"]))


def families_of(columns: Sequence[str]) -> list[str]:
    """The families of these columns, in their order."""
    return list(dict.fromkeys(column.split(".")[0] for column in columns))


def _suggest_from(trial: Trial, name: str, span: Range) -> float:
    if span.whole:
        return trial.suggest_int(name, int(span.low), int(span.high), log=True)
    return trial.suggest_float(name, span.low, span.high, log=True)

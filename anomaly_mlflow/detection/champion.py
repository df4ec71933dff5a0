"""The best detector of a sweep against the default one, once, on rows that the sweep never saw."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.pipeline import Pipeline

from anomaly_mlflow.detection.detectors import fit_detector
from anomaly_mlflow.detection.labelled import Labelled
from anomaly_mlflow.detection.measures import Measure, auroc_of, average_precision_of, difference_of, rates_of, together
from anomaly_mlflow.detection.nested import best_threshold, probability_of
from anomaly_mlflow.detection.objective import Development
from anomaly_mlflow.detection.search_space import Candidate
from anomaly_mlflow.detection.statistics import Interval, exceeds, interval

__all__ = ["MEASURES", "Fitted", "Outcome", "compare", "refit", "with_best_threshold"]

MEASURES = ("f1", "precision", "recall", "auroc", "average_precision")


@dataclass(frozen=True)
class Fitted:
    """A fitted detector: the columns that it reads, in this order, and from which probability a row is flagged."""

    model: Pipeline
    columns: tuple[str, ...]
    threshold: float


@dataclass(frozen=True)
class Outcome:
    """What both detectors reached on the untouched rows, and the best less the default, by measure."""

    best: dict[str, Interval]
    default: dict[str, Interval]
    difference: dict[str, Interval]

    @property
    def verdict(self) -> str:
        """By the paired 95 % interval of the difference in F1: wholly above zero, wholly below, or neither."""
        told = exceeds(self.difference["f1"], 0.0, strict=True)
        return {True: "improves", False: "does not improve", None: "undecided"}[told]


def refit(chosen: Candidate, data: Labelled, seed: int) -> Fitted:
    """A candidate fitted on all of these rows, those of all seeds of the noisy model stacked."""
    own = data.only(chosen.columns(data.columns))
    model = fit_detector(chosen.detector, chosen.parameters, *own.stacked(), seed)
    return Fitted(model, own.columns, chosen.threshold)


def with_best_threshold(chosen: Candidate, development: Development) -> Candidate:
    """The candidate with the threshold of the best F1 on development rows, each held out once: what the search tunes
    for its own, so that a comparison in F1 is not one of thresholds."""
    own = development.data.only(chosen.columns(development.data.columns))
    scores = np.empty((len(own.X), len(own.positive)))
    for number in np.unique(development.fold):
        held_out = development.fold == number
        seen = own.rows(np.flatnonzero(~held_out)).stacked()
        model = fit_detector(chosen.detector, chosen.parameters, *seen, development.seed)
        scores[:, held_out] = np.stack([probability_of(model, X[held_out]) for X in own.X])
    return replace(chosen, threshold=best_threshold(scores.ravel(), np.tile(own.positive, len(own.X))))


def compare(best: Fitted, default: Fitted, untouched: Labelled, *, seed: int = 0, draws: int = 2000) -> Outcome:
    """Both on the untouched rows, with 95 % intervals over seeds and source groups, paired for the difference."""
    first, second = _measure(best, untouched), _measure(default, untouched)
    found = []
    for measure in (first, second, difference_of(first, second)):
        ends = interval(measure, untouched.positive, untouched.groups, draws=draws, seed=seed)
        found.append(dict(zip(MEASURES, ends, strict=True)))
    return Outcome(*found)


def _measure(fitted: Fitted, data: Labelled) -> Measure:
    own = data.only(fitted.columns)
    scores = np.stack([probability_of(fitted.model, X) for X in own.X])
    one_fold = np.zeros(len(data.positive), dtype=np.int64)
    rates = rates_of(scores >= fitted.threshold, data.positive)
    return together(
        lambda weights: rates(weights)[:, :, [2, 0, 1]],
        auroc_of(scores, data.positive, one_fold),
        average_precision_of(scores, data.positive, one_fold),
    )

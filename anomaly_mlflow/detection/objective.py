"""What a trial of a sweep is worth: grouped cross-validated F1 on development rows."""

from dataclasses import dataclass

import numpy as np
from optuna import Trial, TrialPruned
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold

from anomaly_mlflow.detection.classifiers import folds
from anomaly_mlflow.detection.detectors import fit_detector
from anomaly_mlflow.detection.labelled import Labelled
from anomaly_mlflow.detection.nested import probability_of
from anomaly_mlflow.detection.search_space import Candidate, families_of, suggest
from anomaly_mlflow.errors import BadData

__all__ = ["Development", "objective", "put_aside"]

QUARTERS = 4


@dataclass(frozen=True)
class Development:
    """All that a sweep is given: rows to learn from, the fold of each, and the seed. It knows no other rows."""

    data: Labelled
    fold: np.ndarray
    seed: int


def put_aside(data: Labelled, seed: int) -> tuple[Development, Labelled]:
    """Development rows, and a quarter of untouched ones; no group has rows on both sides.

    Raises BadData where there are too few rows or groups for either.
    """
    splitter = StratifiedGroupKFold(QUARTERS, shuffle=True, random_state=seed)
    fewest = min(len(np.unique(data.groups[data.positive == side])) for side in (True, False))
    if fewest < QUARTERS:
        raise BadData(f"a class has {fewest} source groups, too few to put a quarter aside; inject from more sources")
    seen, untouched = next(splitter.split(data.groups, data.positive, data.groups))
    if data.positive[untouched].all() or not data.positive[untouched].any():
        raise BadData("the groups leave the untouched quarter without one of the classes; use more sources")
    kept = data.rows(seen)
    return Development(kept, folds(kept.positive, kept.groups, seed), seed), data.rows(untouched)


def objective(trial: Trial, development: Development) -> float:
    """Mean F1 over folds and seeds of the noisy model at the trial's threshold; 0 for a trial that reads no signal.

    A model is fitted on the rows of the other folds, those of all seeds stacked. The mean so far is reported after
    each fold. Raises TrialPruned.
    """
    chosen = suggest(trial, families_of(development.data.columns))
    if not chosen.families:
        return 0.0
    values: list[float] = []
    for number in np.unique(development.fold):
        values.append(_f1_of_fold(chosen, development, number))
        trial.report(float(np.mean(values)), step=int(number))
        if trial.should_prune():
            raise TrialPruned
    return float(np.mean(values))


def _f1_of_fold(chosen: Candidate, development: Development, number: int) -> float:
    data = development.data.only(chosen.columns(development.data.columns))
    held_out = development.fold == number
    model = fit_detector(
        chosen.detector, chosen.parameters, *data.rows(np.flatnonzero(~held_out)).stacked(), development.seed
    )
    truth = data.positive[held_out]
    flagged = [probability_of(model, X[held_out]) >= chosen.threshold for X in data.X]
    return float(np.mean([f1_score(truth, row, zero_division=0) for row in flagged]))

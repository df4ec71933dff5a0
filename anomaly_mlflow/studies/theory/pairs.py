"""T1 measured: prototype distance of clean rows as if they bore another class's label, pair by pair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.measures import auroc_of
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import CrossFit
from anomaly_mlflow.studies.theory.distance import distance_moments, gamma_auroc, gaussian_auroc, prototypes_of

__all__ = ["ClassDistances", "class_distances", "measured_pairs", "pair_table"]


@dataclass(frozen=True)
class ClassDistances:
    """Cosine distance of each row to the prototype of each class, float64 (n, C), and the fold of each row, (n,).

    Each fold has prototypes of its own, which saw none of its rows: only distances of one fold compare.
    """

    distance: np.ndarray
    fold: np.ndarray


def class_distances(folds: Sequence[CrossFit], num_classes: int) -> ClassDistances:
    """The distances whose column of the given label is `prototype_distance` up to each fold's scale."""
    n = sum(len(fold.rows) for fold in folds)
    distance, number = np.empty((n, num_classes)), np.empty(n, np.int64)
    for k, fold in enumerate(folds):
        number[fold.rows] = k
        distance[fold.rows] = 1 - fold.unit @ prototypes_of(fold.unit_references, fold.reference_labels, num_classes).T
    return ClassDistances(distance, number)


def pair_table(
    folds: Sequence[CrossFit], given: np.ndarray, clean: np.ndarray, groups: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """One row per ordered pair of classes (true a, given b): AUROC predicted and measured.

    folds: the clean side; given, groups: int64 (n,), labels and source groups; clean: bool (n,), clean, not hard.
    predicted, predicted_gamma: from means and covariances of the reference rows of other folds, mean over folds.
    prototype_gap: cosine distance of both prototypes, mean over folds: what the means say alone.
    measured: clean rows of a as if given b against clean rows of b, within folds; n: rows of a.
    predicted_unseen, measured_unseen: means and covariances from one half of the fold's own clean rows, measured on
    the other, and the reverse: the encoder has learnt from neither half.
    Raises BadData where no pair of classes has clean rows in all folds.
    """
    found = class_distances(folds, len(classes))
    true, label = np.nonzero(~np.eye(len(classes), dtype=bool))
    pairs = np.stack([true, label], axis=1)
    half = pd.factorize(groups)[0] % 2
    unseen = [_unseen(folds, given, clean & (half == side), len(classes)) for side in (0, 1)]
    other = [measured_pairs(found, given, clean & (half != side), pairs) for side in (0, 1)]
    table = pd.DataFrame(
        {
            "true_class": np.array(classes)[true],
            "given_class": np.array(classes)[label],
            "n": np.bincount(given[clean], minlength=len(classes))[true],
            "predicted": _over_folds(folds, gaussian_auroc, len(classes))[true, label],
            "predicted_gamma": _over_folds(folds, gamma_auroc, len(classes))[true, label],
            "prototype_gap": _gap(folds, len(classes))[true, label],
            "measured": measured_pairs(found, given, clean, pairs)[0],
            "predicted_unseen": np.mean(unseen, axis=0)[true, label],
            "measured_unseen": np.mean(other, axis=0)[0],
        }
    )
    table = table[table[["predicted", "measured"]].notna().all(axis=1)].reset_index(drop=True)
    if table.empty:
        raise BadData("no two classes have clean rows in all folds; use fewer folds or a larger subset")
    return table


def measured_pairs(
    found: ClassDistances, given: np.ndarray, clean: np.ndarray, pairs: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """AUROC of the distance to b, clean rows of a against those of b, within folds: float64 (draws, pairs).

    pairs: int64 (pairs, 2), (a, b); weights: float64 (draws, n) of the rows, by default one draw of ones. NaN where
    no fold has rows of both.
    """
    values = np.full((1 if weights is None else len(weights), len(pairs)), np.nan)
    for column, (a, b) in enumerate(pairs):
        rows = np.flatnonzero(clean & ((given == a) | (given == b)))
        positive = given[rows] == a
        if positive.any() and not positive.all() and np.isfinite(found.distance[rows, b]).all():
            w = np.ones((1, len(rows))) if weights is None else weights[:, rows]
            values[:, column] = auroc_of(found.distance[rows, b], positive, found.fold[rows])(w)[:, 0]
    return values


def _over_folds(folds: Sequence[CrossFit], form: Callable, num_classes: int) -> np.ndarray:
    """Mean over folds of the prediction from each fold's reference rows."""
    found = []
    for fold in folds:
        prototypes = prototypes_of(fold.unit_references, fold.reference_labels, num_classes)
        found.append(form(distance_moments(fold.unit_references, fold.reference_labels, prototypes)))
    return np.mean(found, axis=0)


def _unseen(folds: Sequence[CrossFit], given: np.ndarray, known: np.ndarray, num_classes: int) -> np.ndarray:
    """The same with means and covariances of these rows of each fold itself; the prototypes stay."""
    found = []
    for fold in folds:
        prototypes = prototypes_of(fold.unit_references, fold.reference_labels, num_classes)
        mine = known[fold.rows]
        found.append(gaussian_auroc(distance_moments(fold.unit[mine], given[fold.rows][mine], prototypes)))
    return np.mean(found, axis=0)


def _gap(folds: Sequence[CrossFit], num_classes: int) -> np.ndarray:
    each = [prototypes_of(fold.unit_references, fold.reference_labels, num_classes) for fold in folds]
    return np.mean([1 - prototypes @ prototypes.T for prototypes in each], axis=0)

"""What an ablation is measured by: the calls of the type classifier, and near misses told from hard images."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.calls import call, call_factors
from anomaly_mlflow.detection.classifiers import folds, logistic_regression
from anomaly_mlflow.detection.measures import Measure, auroc_of
from anomaly_mlflow.detection.type_measures import macro_f1_of
from anomaly_mlflow.detection.type_model import linear_member
from anomaly_mlflow.detection.types import MERGED, TYPES, merge, merge_codes, type_codes, type_folds
from anomaly_mlflow.errors import BadData

__all__ = ["Task", "near_miss_vs_hard", "type_task"]

Judge = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Task:
    """A question that a table of signals is asked.

    name: of the measure; rows: int64 (m,), positions in the ledger; target, groups: of these rows; held_out:
    positions in rows, one array per fold; fit: (X, target) -> what maps held-out X to calls or scores; measure: calls
    or scores (seeds, m) -> Measure.
    """

    name: str
    rows: np.ndarray
    target: np.ndarray
    groups: np.ndarray
    held_out: list[np.ndarray]
    fit: Callable[[np.ndarray, np.ndarray], Judge]
    measure: Callable[[np.ndarray], Measure]


def type_task(types: np.ndarray, groups: np.ndarray, seed: int) -> Task:
    """`macro_f1` of the merged types by the linear member alone, without the pool, because it is fast."""
    codes = type_codes(types)
    places = merge_codes(codes)
    return Task(
        "macro_f1",
        np.arange(len(codes)),
        codes,
        groups,
        type_folds(codes, groups, seed),
        _fit_types,
        lambda called: macro_f1_of(called.astype(np.int64), places, len(MERGED)),
    )


def near_miss_vs_hard(types: np.ndarray, groups: np.ndarray, seed: int) -> Task | None:
    """`near_miss_vs_hard`: fold-stratified AUROC of a logistic regression; None where a type has too few rows."""
    rows = np.flatnonzero(np.isin(types, [AnomalyType.NEAR_MISS, AnomalyType.HARD]))
    positive = types[rows] == AnomalyType.NEAR_MISS
    try:
        fold = folds(positive, groups[rows], seed)
    except BadData:
        return None
    held_out = [np.flatnonzero(fold == number) for number in np.unique(fold)]
    return Task(
        "near_miss_vs_hard",
        rows,
        positive,
        groups[rows],
        held_out,
        _fit_pair,
        lambda scores: auroc_of(scores, positive, fold),
    )


def _fit_types(X: np.ndarray, codes: np.ndarray) -> Judge:
    model = linear_member().fit(X, codes)

    def probability(rows: np.ndarray) -> np.ndarray:
        whole = np.zeros((len(rows), len(TYPES)))
        whole[:, model.classes_] = model.predict_proba(rows)
        return merge(whole)

    factors = call_factors(probability(X), merge_codes(codes))  # of training rows: a linear model hardly overfits them
    return lambda rows: call(probability(rows), factors)


def _fit_pair(X: np.ndarray, positive: np.ndarray) -> Judge:
    model = logistic_regression().fit(X, positive)
    return lambda rows: model.predict_proba(rows)[:, 1]

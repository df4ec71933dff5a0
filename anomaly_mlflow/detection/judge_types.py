"""What the type classifier says of rows it did not see, for every seed of the noisy model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import delayed

from anomaly_mlflow.detection.calls import call
from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.detection.type_model import TypeModel, fit_type_model, type_probabilities
from anomaly_mlflow.detection.types import TYPES, merge, type_codes, type_folds
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["TypeFold", "TypeJudgement", "fit_types", "judge_types", "type_judgement"]


@dataclass(frozen=True)
class TypeFold:
    """A type classifier and the rows it did not see, int64 (m,)."""

    model: TypeModel
    rows: np.ndarray


@dataclass(frozen=True)
class TypeJudgement:
    """Held-out judgements of one seed, rows in the order of the ledger.

    probability: float64 (n, types), in the order of TYPES, calibrated at the shares of the table; called,
    merged_called: int64 (n,), positions in TYPES and in MERGED; abstains: bool (n,), the merged call is too improbable.
    """

    probability: np.ndarray
    called: np.ndarray
    merged_called: np.ndarray
    abstains: np.ndarray


def judge_types(
    features: Sequence[pd.DataFrame], ledger: pd.DataFrame, groups: np.ndarray, *, seed: int = 0, jobs: int = 1
) -> tuple[list[str], np.ndarray, list[list[TypeFold]]]:
    """Columns, float64 (seeds, n, signals) in the order of the ledger, and the fitted folds of every seed.

    features: one frame per seed; groups: int64 (n,), in the order of the ledger; jobs: fits side by side. Folds are the
    same for all seeds. Raises Leakage and BadData as `join`, `matrix` and `type_folds` do.
    """
    codes = type_codes(ledger["anomaly_type"].to_numpy())
    held_out = type_folds(codes, groups, seed)
    matrices = [matrix(join(frame, ledger)) for frame in features]
    X = np.stack([values for _, values in matrices])
    return matrices[0][0], X, fit_types(X, codes, groups, held_out, seed, jobs)


def fit_types(
    X: np.ndarray, codes: np.ndarray, groups: np.ndarray, held_out: list[np.ndarray], seed: int, jobs: int = 1
) -> list[list[TypeFold]]:
    """For each table of X (tables, n, signals) one classifier per fold, fitted on the rows of the others."""
    seen = [np.delete(np.arange(len(codes)), rows) for rows in held_out]
    tasks = [delayed(fit_type_model)(own[rows], codes[rows], groups[rows], seed) for own in X for rows in seen]
    models = iter(list(side_by_side(tasks, jobs)))
    return [[TypeFold(next(models), rows) for rows in held_out] for _ in X]


def type_judgement(fitted: list[TypeFold], X: np.ndarray) -> TypeJudgement:
    """What each fold's classifier says of the rows that it did not see; X: (n, signals)."""
    n = len(X)
    probability, called, merged_called = np.zeros((n, len(TYPES))), np.zeros(n, np.int64), np.zeros(n, np.int64)
    abstains = np.zeros(n, bool)
    for fold in fitted:
        own = type_probabilities(fold.model, X[fold.rows])
        merged = merge(own)
        probability[fold.rows] = own
        called[fold.rows] = call(own, fold.model.factors)
        merged_called[fold.rows] = decided = call(merged, fold.model.merged_factors)
        abstains[fold.rows] = merged[np.arange(len(own)), decided] < fold.model.threshold
    return TypeJudgement(probability, called, merged_called, abstains)

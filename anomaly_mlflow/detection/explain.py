"""Which signals make a sample look like its type: SHAP values of held-out rows."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import delayed
from scipy.stats import rankdata

from anomaly_mlflow.anomalies.types import AnomalyType, listed
from anomaly_mlflow.detection.table import ID, join, matrix
from anomaly_mlflow.detection.types import TYPES, TypeFold, fit_types, type_folds, type_probabilities
from anomaly_mlflow.training.folds import side_by_side

__all__ = ["Explanation", "explain", "shap_values"]


@dataclass(frozen=True)
class Explanation:
    """The type classifier on rows it did not see, averaged over seeds of the noisy model.

    sample_id: int64 (n,), in the order of the ledger; columns: the signals, `family.signal`.
    percentile: float64 (n, signals) in 0..1, rank of the sample under each signal, higher = more suspicious.
    types: those that the ledger lists; probability: float64 (n, types).
    values: float32 (n, signals, types), SHAP values in log-odds; positive = the signal speaks for the type.
    """

    sample_id: np.ndarray
    types: tuple[AnomalyType, ...]
    columns: list[str]
    percentile: np.ndarray
    probability: np.ndarray
    values: np.ndarray


def explain(
    features: Sequence[pd.DataFrame], ledger: pd.DataFrame, groups: np.ndarray, *, seed: int = 0, jobs: int = 1
) -> Explanation:
    """Fit the type classifier fold by fold for every seed of the noisy model and explain the held-out rows.

    features: one frame per seed; groups: int64 (n,), in the order of the ledger; jobs: seeds side by side.
    Raises Leakage and BadData as `join`, `matrix` and `type_folds` do.
    """
    types = ledger["anomaly_type"].to_numpy()
    held_out = type_folds(types, groups, seed)
    matrices = [matrix(join(frame, ledger)) for frame in features]
    tasks = [delayed(_of_one_seed)(X, types, held_out, seed) for _, X in matrices]
    probability = values = 0.0
    for own_probability, own_values in side_by_side(tasks, jobs):
        probability = probability + own_probability / len(features)
        values = values + own_values / np.float32(len(features))
    percentile = sum((rankdata(X, axis=0) - 0.5) / len(X) / len(features) for _, X in matrices)
    kinds, columns = listed(types), matrices[0][0]
    known = [TYPES.index(kind) for kind in kinds]
    return Explanation(ledger[ID].to_numpy(), kinds, columns, percentile, probability[:, known], values[:, :, known])


def _of_one_seed(
    X: np.ndarray, types: np.ndarray, held_out: list[np.ndarray], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    fitted = fit_types(X, types, held_out, seed)
    return type_probabilities(fitted, X), shap_values(fitted, X)


def shap_values(fitted: list[TypeFold], X: np.ndarray) -> np.ndarray:
    """float32 (n, signals, types): SHAP values of the held-out rows of every fold, zero for a type its model lacks.

    Exact for trees (Lundberg et al. 2020, From local explanations to global understanding with explainable AI for
    trees), in log-odds of each type, in the order of TYPES.
    """
    with warnings.catch_warnings():  # shap recolours a matplotlib map in a deprecated way while it is imported
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import TreeExplainer
    values = np.zeros((*X.shape, len(TYPES)), dtype=np.float32)
    for fold in fitted:
        raw = TreeExplainer(fold.model).shap_values(X[fold.rows])
        # With two types there is one margin, that of the second.
        values[np.ix_(fold.rows, range(X.shape[1]), fold.model.classes_)] = (
            np.stack([-raw, raw], axis=2) if raw.ndim == 2 else raw
        )
    return values

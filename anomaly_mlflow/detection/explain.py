"""Which signals make a sample look like its type: SHAP values of held-out rows."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import delayed
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from anomaly_mlflow.anomalies.types import AnomalyType, listed
from anomaly_mlflow.detection.judge_types import TypeFold, judge_types, type_judgement
from anomaly_mlflow.detection.table import ID
from anomaly_mlflow.detection.types import TYPES
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["Explanation", "explain", "shap_values"]


@dataclass(frozen=True)
class Explanation:
    """The type classifier on rows it did not see, averaged over seeds of the noisy model.

    sample_id: int64 (n,), in the order of the ledger; columns: the signals, `family.signal`.
    percentile: float64 (n, signals) in 0..1, rank of the sample under each signal, higher = more suspicious.
    types: those that the ledger lists; probability: float64 (n, types), calibrated; called: int64 (n,), position in
    types that most seeds call the sample.
    values: float32 (n, signals, types), SHAP values in log-odds; positive = the signal speaks for the type.
    """

    sample_id: np.ndarray
    types: tuple[AnomalyType, ...]
    columns: list[str]
    percentile: np.ndarray
    probability: np.ndarray
    called: np.ndarray
    values: np.ndarray


def explain(
    features: Sequence[pd.DataFrame], ledger: pd.DataFrame, groups: np.ndarray, *, seed: int = 0, jobs: int = 1
) -> tuple[Explanation, list[np.ndarray]]:
    """Fit the type classifier fold by fold for every seed of the noisy model and explain the held-out rows.

    features: one frame per seed; groups: int64 (n,), in the order of the ledger; jobs: fits side by side. Beside the
    explanation the SHAP values of each seed, as in `Explanation.values`.
    Raises Leakage and BadData as `judge_types` does.
    """
    columns, X, fitted = judge_types(features, ledger, groups, seed=seed, jobs=jobs)
    kinds = listed(ledger["anomaly_type"])
    known = [TYPES.index(kind) for kind in kinds]
    judged = [type_judgement(folds, own) for folds, own in zip(fitted, X, strict=True)]
    tasks = [delayed(shap_values)(folds, own) for folds, own in zip(fitted, X, strict=True)]
    each = [values[:, :, known] for values in side_by_side(tasks, jobs)]
    votes = sum(np.eye(len(TYPES))[one.called][:, known] for one in judged)
    probability = np.mean([one.probability[:, known] for one in judged], axis=0)
    percentile = np.mean([(rankdata(own, axis=0) - 0.5) / len(own) for own in X], axis=0)
    called = (votes + probability).argmax(axis=1)  # probability settles a tie of votes
    values = sum(each) / np.float32(len(each))
    return Explanation(ledger[ID].to_numpy(), kinds, columns, percentile, probability, called, values), each


def shap_values(fitted: list[TypeFold], X: np.ndarray) -> np.ndarray:
    """float32 (n, signals, types): SHAP values of the held-out rows of every fold, zero for a type its model lacks.

    The margins of the pool are a weighted sum of those of its members, and so are their SHAP values: exact for trees
    (Lundberg et al. 2020, From local explanations to global understanding with explainable AI for trees) and for the
    linear member (Strumbelj and Kononenko 2014: weight times the distance of the scaled signal from its mean), in
    log-odds of each type before they are made to add up to one, in the order of TYPES.
    """
    values = np.zeros((*X.shape, len(TYPES)), dtype=np.float32)
    for fold in fitted:
        model, rows = fold.model, X[fold.rows]
        for weight, member in zip(model.pool.weights, model.members, strict=True):
            raw = (
                _of_trees(member, rows) if isinstance(member, HistGradientBoostingClassifier) else _linear(member, rows)
            )
            # With two types there is one margin, that of the second.
            raw = np.stack([-raw / 2, raw / 2], axis=2) if raw.ndim == 2 else raw
            values[np.ix_(fold.rows, range(X.shape[1]), member.classes_)] += (weight * raw).astype(np.float32)
    return values


def _of_trees(member: HistGradientBoostingClassifier, rows: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():  # shap recolours a matplotlib map in a deprecated way while it is imported
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import TreeExplainer
    return TreeExplainer(member).shap_values(rows)


def _linear(member: Pipeline, rows: np.ndarray) -> np.ndarray:
    """Scaled signals have mean 0 on the training rows."""
    scaled, weights = member[:-1].transform(rows), member[-1].coef_
    return scaled * weights if len(weights) == 1 else scaled[:, :, None] * weights.T

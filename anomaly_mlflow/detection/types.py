"""The type classifier: which anomaly type do the signals of a sample look like?"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData

__all__ = ["TYPES", "TypeFold", "fit_types", "type_folds", "type_probabilities"]

TYPES = tuple(AnomalyType)
FOLDS = 5


@dataclass(frozen=True)
class TypeFold:
    """A type classifier and the rows it did not see.

    rows: int64 (m,), held-out positions; model.classes_: positions in TYPES of the types it knows.
    """

    model: HistGradientBoostingClassifier
    rows: np.ndarray


def type_folds(types: np.ndarray, groups: np.ndarray, seed: int) -> list[np.ndarray]:
    """Held-out positions of each fold: stratified by type as far as whole groups allow.

    types: names of AnomalyType (n,); groups: int64 (n,). Up to five folds, fewer where there are fewer groups.
    A type of few rows or groups is absent from the training side of some fold, which then gives it probability 0.
    Raises BadData where fewer than two types or two groups are present.
    """
    codes = _codes(types)
    count = min(FOLDS, len(np.unique(groups)), int(np.bincount(codes).max()))
    if len(np.unique(codes)) < 2 or count < 2:
        raise BadData("the type classifier needs at least two types and two source groups; inject anomalies first")
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = list(splitter.split(codes, codes, groups))
    if any(len(np.unique(codes[seen])) < 2 for seen, _ in splits):
        raise BadData("all rows of the one anomaly type come from a single source group; inject from more sources")
    return [held_out for _, held_out in splits]


def fit_types(X: np.ndarray, types: np.ndarray, held_out: list[np.ndarray], seed: int) -> list[TypeFold]:
    """One classifier per fold, fitted on the rows that the fold does not hold out.

    X: float (n, signals). Gradient boosting over histograms (Ke et al. 2017), small, balanced class weights.
    """
    codes = _codes(types)
    fitted = []
    for rows in held_out:
        seen = np.delete(np.arange(len(codes)), rows)
        fitted.append(TypeFold(_classifier(seed).fit(X[seen], codes[seen]), rows))
    return fitted


def type_probabilities(fitted: list[TypeFold], X: np.ndarray) -> np.ndarray:
    """float64 (n, types): held-out probability of every type, columns in the order of TYPES."""
    probabilities = np.zeros((len(X), len(TYPES)))
    for fold in fitted:
        probabilities[np.ix_(fold.rows, fold.model.classes_)] = fold.model.predict_proba(X[fold.rows])
    return probabilities


def _classifier(seed: int) -> HistGradientBoostingClassifier:
    # No early stopping: its inner validation split would tear groups apart.
    return HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=15, class_weight="balanced", early_stopping=False, random_state=seed
    )


def _codes(types: np.ndarray) -> np.ndarray:
    codes = {str(name): code for code, name in enumerate(TYPES)}
    unknown = sorted({str(name) for name in types} - codes.keys())
    if unknown:
        raise BadData(f"unknown anomaly type '{unknown[0]}' in the ledger; known: {', '.join(codes)}")
    return np.array([codes[str(name)] for name in types], dtype=np.int64)

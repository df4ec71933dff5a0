"""The anomaly types as columns, merged where they overlap by construction, and folds that hold rows out by group."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData

__all__ = ["MERGED", "TYPES", "merge", "merge_codes", "type_codes", "type_folds"]

TYPES = tuple(AnomalyType)
FAR = "gross_or_flip"
MERGED = tuple(dict.fromkeys(FAR if kind in ("gross", "random_flip") else str(kind) for kind in TYPES))
_PLACE = np.array([MERGED.index(FAR if kind in ("gross", "random_flip") else kind) for kind in TYPES])
FOLDS = 5


def type_codes(types: np.ndarray) -> np.ndarray:
    """int64 (n,): position in TYPES of each name. Raises BadData on an unknown one."""
    codes = {str(name): code for code, name in enumerate(TYPES)}
    unknown = sorted({str(name) for name in types} - codes.keys())
    if unknown:
        raise BadData(f"unknown anomaly type '{unknown[0]}' in the ledger; known: {', '.join(codes)}")
    return np.array([codes[str(name)] for name in types], dtype=np.int64)


def merge(probability: np.ndarray) -> np.ndarray:
    """Probabilities in the order of TYPES (..., types) to those in the order of MERGED: gross and random flip added."""
    merged = np.zeros((*probability.shape[:-1], len(MERGED)))
    for column, place in enumerate(_PLACE):
        merged[..., place] += probability[..., column]
    return merged


def merge_codes(codes: np.ndarray) -> np.ndarray:
    """Positions in TYPES to positions in MERGED."""
    return _PLACE[codes]


def type_folds(codes: np.ndarray, groups: np.ndarray, seed: int, folds: int | None = None) -> list[np.ndarray]:
    """Held-out positions of each fold: stratified by type as far as whole groups allow.

    codes: positions in TYPES, int64 (n,); groups: int64 (n,). Up to five folds (or as many
    as asked), fewer where there are fewer groups.
    A type of few rows or groups is absent from the training side of some fold, which then gives it probability 0.
    Raises BadData where fewer than two types or two groups are present.
    """
    count = min(folds or FOLDS, len(np.unique(groups)), int(np.bincount(codes).max()))
    if len(np.unique(codes)) < 2 or count < 2:
        raise BadData("the type classifier needs at least two types and two source groups; inject anomalies first")
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = list(splitter.split(codes, codes, groups))
    if any(len(np.unique(codes[seen])) < 2 for seen, _ in splits):
        raise BadData("all rows of the one anomaly type come from a single source group; inject from more sources")
    return [held_out for _, held_out in splits]

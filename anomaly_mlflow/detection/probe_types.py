"""What kind of error an untouched row would be, learnt from planted probes."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score

from anomaly_mlflow.anomalies.label_probes import INSTANCE
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.types import type_codes, type_folds

__all__ = ["ERRORS", "error_types", "probe_f1", "probe_probabilities", "types_of_probes"]

ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP, AnomalyType.OOD)
SIDES = (AnomalyType.CLEAN, *ERRORS)


def types_of_probes(kinds: np.ndarray) -> np.ndarray:
    """Type that a classifier is to learn, str (n,): untouched rows as clean, instance-dependent probes as near misses.

    kinds: str (n,) as `plant_label_probes` gives them.
    """
    named = {"": AnomalyType.CLEAN, INSTANCE: AnomalyType.NEAR_MISS}
    return np.array([str(named.get(kind, kind)) for kind in kinds], dtype=object)


def probe_probabilities(X: np.ndarray, types: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Held-out probability of clean and of each of ERRORS, float64 (n, 5): gradient boosting, balanced class weights.

    X: float (n, signals). The "clean" side holds the set's own errors, which blurs it and moves no column's order.
    """
    codes = np.array([SIDES.index(kind) for kind in types])
    found = np.zeros((len(X), len(SIDES)))
    for held_out in type_folds(type_codes(types), groups, seed):
        seen = np.delete(np.arange(len(X)), held_out)
        model = HistGradientBoostingClassifier(
            max_iter=100, max_leaf_nodes=15, class_weight="balanced", early_stopping=False, random_state=seed
        ).fit(X[seen], codes[seen])
        found[np.ix_(held_out, model.classes_)] = model.predict_proba(X[held_out])
    return found


def error_types(probabilities: np.ndarray, of_error: np.ndarray) -> pd.DataFrame:
    """P(error) shared out over ERRORS in proportion to a row's probabilities: columns `type.NAME`, rows sum to it.

    probabilities: as `probe_probabilities` gives them; of_error: float64 (n,).
    """
    kinds = probabilities[:, 1:] + 1e-12
    shared = kinds / kinds.sum(axis=1, keepdims=True) * of_error[:, None]
    return pd.DataFrame(shared, columns=[f"type.{kind}" for kind in ERRORS])


def probe_f1(probabilities: np.ndarray, types: np.ndarray, seed: int) -> dict[str, float]:
    """F1 of clean and of each of ERRORS on held-out rows, and their mean `macro`.

    As many untouched rows as probes are counted, drawn by the seed: precision depends on how many there are.
    """
    rng, clean = np.random.default_rng(seed), types == AnomalyType.CLEAN
    kept = rng.choice(np.flatnonzero(clean), min(clean.sum(), (~clean).sum()), replace=False)
    rows = np.append(kept, np.flatnonzero(~clean))
    called = np.array(SIDES, dtype=object)[probabilities[rows].argmax(axis=1)]
    names = [str(kind) for kind in SIDES]
    f1 = f1_score(types[rows].astype(str), called.astype(str), labels=names, average=None, zero_division=0)
    return dict(zip(names, map(float, f1), strict=True)) | {"macro": float(f1.mean())}

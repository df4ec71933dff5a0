"""The type classifier: members pooled and calibrated on rows they did not see, with rules to call and to abstain."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from anomaly_mlflow.detection.calibration import Pool, fit_pool
from anomaly_mlflow.detection.calls import abstention_threshold, call, call_factors
from anomaly_mlflow.detection.types import MERGED, TYPES, merge, merge_codes, type_folds
from anomaly_mlflow.errors import BadData

__all__ = ["TypeModel", "fit_type_model", "linear_member", "type_probabilities"]

INNER_FOLDS = 3
LEAST = 1e-12  # probability at the least, also of a type that a member cannot know


@dataclass(frozen=True)
class TypeModel:
    """A fitted type classifier.

    classes: int64 (k,), positions in TYPES of the types it knows; members: fitted estimators; pool: their weights.
    factors, merged_factors: a row is called the type of the highest factor times probability, of TYPES and of MERGED.
    threshold: a row whose called type, of MERGED, is less probable abstains.
    """

    classes: np.ndarray
    members: tuple[ClassifierMixin, ...]
    pool: Pool
    factors: np.ndarray
    merged_factors: np.ndarray
    threshold: float


def fit_type_model(X: np.ndarray, codes: np.ndarray, groups: np.ndarray, seed: int) -> TypeModel:
    """Members on all rows; pool, factors and threshold on held-out rows of inner folds, which split no group.

    X: float (n, signals); codes: positions in TYPES, int64 (n,); groups: int64 (n,). Where types or groups are too few
    for inner folds the members are pooled evenly and a row is called what is most probable.
    """
    classes, members = np.unique(codes), _fit_members(X, codes, seed)
    inner = _inner_log_probabilities(X, codes, groups, classes, seed)
    if inner is None:
        pool = Pool(np.full(len(members), 1 / len(members)), np.zeros(len(classes)))
        return TypeModel(classes, members, pool, np.ones(len(TYPES)), np.ones(len(MERGED)), 0.0)
    pool = fit_pool(inner, np.searchsorted(classes, codes))
    probability = _in_all_columns(pool.probabilities(inner), classes)
    merged, places = merge(probability), merge_codes(codes)
    merged_factors = call_factors(merged, places)
    called = call(merged, merged_factors)
    threshold = abstention_threshold(merged[np.arange(len(codes)), called], called, places)
    return TypeModel(classes, members, pool, call_factors(probability, codes), merged_factors, threshold)


def type_probabilities(model: TypeModel, X: np.ndarray) -> np.ndarray:
    """float64 (n, types): calibrated probability of every type, in the order of TYPES."""
    members = _log_probabilities(model.members, X, model.classes)
    return _in_all_columns(model.pool.probabilities(members), model.classes)


def linear_member() -> Pipeline:
    """Standardised signals into a multinomial logistic regression with a trace of L2 penalty."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def _fit_members(X: np.ndarray, codes: np.ndarray, seed: int) -> tuple[ClassifierMixin, ...]:
    # No early stopping: its inner validation split would tear groups apart.
    trees = HistGradientBoostingClassifier(
        learning_rate=0.08,
        max_iter=80,
        max_leaf_nodes=8,
        min_samples_leaf=min(30, 1 + len(X) // 20),
        l2_regularization=5.0,
        max_features=0.3,
        early_stopping=False,
        random_state=seed,
    )
    return linear_member().fit(X, codes), trees.fit(X, codes)


def _inner_log_probabilities(
    X: np.ndarray, codes: np.ndarray, groups: np.ndarray, classes: np.ndarray, seed: int
) -> np.ndarray | None:
    """(members, n, classes) of rows that the members did not see; None where no inner folds can be made."""
    try:
        folds = type_folds(codes, groups, seed + 1, INNER_FOLDS)
    except BadData:
        return None
    found = np.empty((2, len(X), len(classes)))
    for held_out in folds:
        seen = np.delete(np.arange(len(X)), held_out)
        found[:, held_out] = _log_probabilities(_fit_members(X[seen], codes[seen], seed), X[held_out], classes)
    return found


def _log_probabilities(members: tuple[ClassifierMixin, ...], X: np.ndarray, classes: np.ndarray) -> np.ndarray:
    found = np.full((len(members), len(X), len(classes)), np.log(LEAST))
    for own, member in zip(found, members, strict=True):
        own[:, np.searchsorted(classes, member.classes_)] = np.log(np.maximum(member.predict_proba(X), LEAST))
    return found


def _in_all_columns(probability: np.ndarray, classes: np.ndarray) -> np.ndarray:
    whole = np.zeros((len(probability), len(TYPES)))
    whole[:, classes] = probability
    return whole

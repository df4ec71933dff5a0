"""Binary detectors, scored on rows they were not fitted on."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from anomaly_mlflow.errors import BadData

__all__ = ["folds", "held_out_probabilities", "logistic_regression"]

FOLDS = 5
FEWEST_ROWS = 4


def logistic_regression() -> Pipeline:
    """Standardised signals into a logistic regression with balanced class weights."""
    return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))


def folds(positive: np.ndarray, groups: np.ndarray, seed: int, most: int = FOLDS) -> np.ndarray:
    """int64 (n,): the fold in which each row is held out; stratified by class, no group on two sides.

    positive: bool (n,); groups: int64 (n,), rows of one source or duplicate group share a number. So many
    folds at most, fewer where a class has fewer groups: a fold without positives has no pair to put in order.
    Raises BadData where a class has under 4 rows or a single group, or the groups leave a training side without a
    class or no fold with both.
    """
    _check(positive, groups)
    count = min(most, *(len(np.unique(groups[positive == side])) for side in (True, False)))
    splits = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(groups, positive, groups)
    fold = np.empty(len(positive), dtype=np.int64)
    for number, (train, held_out) in enumerate(splits):
        if len(np.unique(positive[train])) < 2:
            raise BadData("the groups leave a fold without one of the classes; inject more rows from more sources")
        fold[held_out] = number
    if not np.isin(fold[positive], fold[~positive]).any():
        raise BadData("no fold holds out rows of both classes; inject more rows from more sources")
    return fold


def held_out_probabilities(X: np.ndarray, positive: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """float64 (n,): probability of the positive class by a pipeline that saw the other folds alone.

    X: float (n, columns); scaling is fitted inside the pipeline, on the training folds. Each fold has its own model:
    compare these scores within a fold (`measures.auroc_of`).
    """
    probability = np.empty(len(positive))
    for number in np.unique(fold):
        held_out = fold == number
        model = logistic_regression().fit(X[~held_out], positive[~held_out])
        probability[held_out] = model.predict_proba(X[held_out])[:, 1]
    return probability


def _check(positive: np.ndarray, groups: np.ndarray) -> None:
    for side, name in ((True, "positive"), (False, "negative")):
        rows = positive == side
        if rows.sum() < FEWEST_ROWS:
            raise BadData(f"{rows.sum()} {name} rows are too few to hold some out; at least {FEWEST_ROWS} are needed")
        if len(np.unique(groups[rows])) < 2:
            raise BadData(f"all {name} rows come from one source group, which no fold may split; use more sources")

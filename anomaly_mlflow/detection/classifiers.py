"""Binary detectors, scored on rows they were not fitted on."""

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from anomaly_mlflow.errors import BadData

__all__ = ["folds", "held_out_probabilities", "logistic_regression", "out_of_fold_scores", "within_fold_ranks"]

FOLDS = 5
FEWEST_ROWS = 4


def logistic_regression() -> Pipeline:
    """Standardised signals into a logistic regression with balanced class weights."""
    return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))


def folds(positive: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """int64 (n,): the fold in which each row is held out; stratified by class, no group on two sides.

    positive: bool (n,); groups: int64 (n,), rows of one source or duplicate group share a number. Five folds, fewer
    where a class has fewer groups: a fold without positives would rank negatives against themselves.
    Raises BadData where a class has under 4 rows or a single group, or the groups leave a training side without it.
    """
    _check(positive, groups)
    count = min(FOLDS, *(len(np.unique(groups[positive == side])) for side in (True, False)))
    splits = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(groups, positive, groups)
    fold = np.empty(len(positive), dtype=np.int64)
    for number, (train, held_out) in enumerate(splits):
        if len(np.unique(positive[train])) < 2:
            raise BadData("the groups leave a fold without one of the classes; inject more rows from more sources")
        fold[held_out] = number
    return fold


def held_out_probabilities(X: np.ndarray, positive: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """float64 (n,): probability of the positive class by a pipeline that saw the other folds alone.

    X: float (n, columns); scaling is fitted inside the pipeline, on the training folds.
    """
    probability = np.empty(len(positive))
    for number in np.unique(fold):
        held_out = fold == number
        model = logistic_regression().fit(X[~held_out], positive[~held_out])
        probability[held_out] = model.predict_proba(X[held_out])[:, 1]
    return probability


def within_fold_ranks(scores: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """float64 (n,) in 0..1: rank of each score among those of its own fold.

    Raw scores of different folds may not be pooled: the held-out class is rarer in training, so the level of each
    model moves against its own held-out rows and pooled AUROC falls below .5 where there is no effect (Parker,
    Guenter and Bedo 2007, Stratification bias in low signal microarray studies).
    """
    ranks = np.empty(len(scores))
    for number in np.unique(fold):
        held_out = fold == number
        ranks[held_out] = (rankdata(scores[held_out]) - 0.5) / held_out.sum()
    return ranks


def out_of_fold_scores(X: np.ndarray, positive: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """float64 (n,) in 0..1, higher = more likely positive: held-out scores as ranks within their fold.

    Raises BadData as `folds` does.
    """
    fold = folds(positive, groups, seed)
    return within_fold_ranks(held_out_probabilities(X, positive, fold), fold)


def _check(positive: np.ndarray, groups: np.ndarray) -> None:
    for side, name in ((True, "positive"), (False, "negative")):
        rows = positive == side
        if rows.sum() < FEWEST_ROWS:
            raise BadData(f"{rows.sum()} {name} rows are too few to hold some out; at least {FEWEST_ROWS} are needed")
        if len(np.unique(groups[rows])) < 2:
            raise BadData(f"all {name} rows come from one source group, which no fold may split; use more sources")

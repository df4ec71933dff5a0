"""How a detector gets better with the number of labelled anomalies."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from joblib import delayed
from scipy.stats import t
from sklearn.metrics import f1_score

from anomaly_mlflow.detection.classifiers import folds
from anomaly_mlflow.detection.detectors import DETECTORS, fit_detector
from anomaly_mlflow.detection.labelled import Labelled
from anomaly_mlflow.detection.measures import auroc
from anomaly_mlflow.detection.nested import best_threshold, probability_of
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["SIZES", "learning_curves"]

SIZES = (10, 25, 50, 100, 200, 400, 800, 1600)
REPEATS = 5
MOST_ROWS = 2000
COLUMNS = ["task", "detector", "anomalies", "measure", "value", "low", "high", "repeats"]


def learning_curves(tasks: Mapping[str, Labelled], *, seed: int = 0, jobs: int = 1) -> pd.DataFrame:
    """AUROC and F1 on held-out rows against the number of labelled anomalies, for every detector and task.

    Each repeat holds out one fold of whole groups (they take turns), and learns from so many anomalies of the others,
    drawn anew, with negatives in proportion (of more than 2000 rows, fewer negatives). Parameters are the detector's
    own; the threshold is that of the best F1 in inner folds of the labelled rows. Mean over 5 repeats and 95 %
    interval by Student's t: repeats share rows, so it is rather too narrow. Columns: task, detector, anomalies,
    measure, value, low, high, repeats. Sizes beyond the anomalies of a training side are left out.
    """
    cells = [(task, data, detector) for task, data in tasks.items() for detector in DETECTORS]
    rows = [row for found in side_by_side([delayed(_curve)(*cell, seed) for cell in cells], jobs) for row in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def _curve(task: str, data: Labelled, detector: str, seed: int) -> list[tuple]:
    try:
        fold = folds(data.positive, data.groups, seed)
    except BadData:
        return []
    most = min(int(data.positive[fold != number].sum()) for number in np.unique(fold))
    found = []
    for size in (size for size in SIZES if size <= most):
        measured = [_once(data, fold, detector, size, repeat, seed) for repeat in range(REPEATS)]
        values = np.array([value for value in measured if value is not None])
        for name, column in zip(("auroc", "f1"), values.T, strict=False):
            found.append((task, detector, size, name, *_mean_interval(column), len(column)))
    return found


def _once(
    data: Labelled, fold: np.ndarray, detector: str, size: int, repeat: int, seed: int
) -> tuple[float, float] | None:
    """AUROC and F1 of one draw; None where the rows drawn stand in too few groups."""
    held_out = fold == repeat % (fold.max() + 1)
    rows = _draw(data.positive, np.flatnonzero(~held_out), size, np.random.default_rng([seed, size, repeat]))
    X = data.X[repeat % len(data.X)]
    positive, groups = data.positive[rows], data.groups[rows]
    try:
        inner = folds(positive, groups, seed, 3)
        scores = np.empty(len(rows))
        for number in np.unique(inner):
            seen = inner != number
            model = fit_detector(detector, {}, X[rows[seen]], positive[seen], groups[seen], seed)
            scores[~seen] = probability_of(model, X[rows[~seen]])
        model = fit_detector(detector, {}, X[rows], positive, groups, seed)
    except BadData:
        return None
    found, truth = probability_of(model, X[held_out]), data.positive[held_out]
    return auroc(found, truth), f1_score(truth, found >= best_threshold(scores, positive), zero_division=0)


def _draw(positive: np.ndarray, rows: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """So many positives of these rows, and negatives in their proportion."""
    wanted, others = rows[positive[rows]], rows[~positive[rows]]
    count = max(min(size, len(others)), min(round(size * len(others) / len(wanted)), MOST_ROWS - size))
    return np.sort(np.r_[generator.choice(wanted, size, False), generator.choice(others, count, False)])


def _mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    mean = float(values.mean())
    if len(values) < 2:
        return mean, np.nan, np.nan
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half

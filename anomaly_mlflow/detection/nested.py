"""Nested cross-validation: parameters and threshold from the training rows alone, scores on the rows held out."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from anomaly_mlflow.detection.classifiers import folds
from anomaly_mlflow.detection.detectors import find_detector, fit_detector, thin
from anomaly_mlflow.detection.labelled import Labelled
from anomaly_mlflow.detection.measures import auroc_of

__all__ = ["HeldOut", "best_threshold", "choose", "nested", "probability_of"]

INNER_FOLDS = 3
SEARCH_ROWS = 2000
"""Most rows on which parameters and threshold are chosen: of more, a stratified part."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out scores of a detector: probability float64 (seeds, n), flagged bool (seeds, n), parameters per fold."""

    probability: np.ndarray
    flagged: np.ndarray
    parameters: list[dict]


def nested(name: str, data: Labelled, fold: np.ndarray, seed: int) -> HeldOut:
    """A detector scored on rows that neither its fit nor the choice of its parameters and threshold saw.

    fold: int64 (n,), where each row is held out (`classifiers.folds`). Of every seed of the noisy model a model is
    fitted on that seed's signals; parameters are chosen once for all seeds, on the signals of one of them in turn.
    Raises BadData where a training side has too few rows or groups for inner folds.
    """
    probability = np.empty((len(data.X), len(fold)))
    flagged, parameters = np.empty(probability.shape, dtype=bool), []
    for number in np.unique(fold):
        seen, held_out = data.rows(np.flatnonzero(fold != number)), fold == number
        chosen, threshold = choose(name, seen.X[number % len(seen.X)], seen.positive, seen.groups, seed)
        parameters.append(chosen)
        for row, X in enumerate(seen.X):
            model = fit_detector(name, chosen, X, seen.positive, seen.groups, seed)
            probability[row, held_out] = probability_of(model, data.X[row, held_out])
            flagged[row, held_out] = probability[row, held_out] >= threshold
    return HeldOut(probability, flagged, parameters)


def choose(name: str, X: np.ndarray, positive: np.ndarray, groups: np.ndarray, seed: int) -> tuple[dict, float]:
    """Parameters of the best AUROC in inner folds over whole groups, and the threshold of the best F1 there."""
    rows = thin(positive, SEARCH_ROWS, seed)
    X, positive, groups = X[rows], positive[rows], groups[rows]
    inner = folds(positive, groups, seed, INNER_FOLDS)
    tried = []
    for parameters in ParameterGrid(dict(find_detector(name).grid)):
        scores = np.empty(len(positive))
        for number in np.unique(inner):
            seen = inner != number
            model = fit_detector(name, parameters, X[seen], positive[seen], groups[seen], seed)
            scores[~seen] = probability_of(model, X[~seen])
        tried.append((auroc_of(scores, positive, inner)(np.ones((1, len(positive)))).item(), parameters, scores))
    _, parameters, scores = max(tried, key=lambda entry: entry[0])
    return parameters, best_threshold(scores, positive)


def best_threshold(scores: np.ndarray, positive: np.ndarray) -> float:
    """The score from which calling rows positive gives the highest F1 on them."""
    precision, recall, thresholds = precision_recall_curve(positive, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[f1[:-1].argmax()])


def probability_of(model: Pipeline, X: np.ndarray) -> np.ndarray:
    """float64 (n,): probability of the positive class, higher = more suspicious."""
    return model.predict_proba(X)[:, 1]

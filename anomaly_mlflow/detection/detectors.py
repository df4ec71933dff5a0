"""The detectors: scikit-learn pipelines from signals to the probability of the positive class, and what they search."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from anomaly_mlflow.detection.classifiers import folds
from anomaly_mlflow.detection.measures import auroc
from anomaly_mlflow.errors import UnknownName

__all__ = ["DETECTORS", "Detector", "Range", "find_detector", "fit_detector", "separation", "thin"]

CALIBRATION_FOLDS = 3


@dataclass(frozen=True)
class Range:
    """Where a sweep looks for a parameter, on a logarithmic scale."""

    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True)
class Detector:
    """A pipeline factory with the values that a nested cross-validation tries and the ranges that a sweep searches.

    grid, ranges: by name of the parameter in the pipeline. rows: most training rows; of more, a stratified part is
    drawn. Classes weigh alike by the estimator's own class weights, or (weighted) by sample weights; in boosting they
    do not, and the threshold alone answers to their shares.
    """

    make: Callable[[], Pipeline]
    grid: Mapping[str, Sequence] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    rows: int | None = None
    weighted: bool = False


def separation(X: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """float64 (columns,): how far the AUROC of each column is from a coin toss, whichever way it points."""
    return np.array([abs(auroc(column, positive.astype(bool)) - 0.5) for column in X.T])


def _pipeline(*steps: tuple[str, object]) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), *steps])


def _best_signal() -> Pipeline:
    # On one column a logistic regression is a threshold.
    threshold = LogisticRegression(class_weight="balanced", max_iter=1000)
    return _pipeline(("signal", SelectKBest(separation, k=1)), ("detector", threshold))


def _logistic_regression() -> Pipeline:
    return _pipeline(("detector", LogisticRegression(class_weight="balanced", max_iter=1000)))


def _linear_svm() -> Pipeline:
    machine = LinearSVC(class_weight="balanced", dual=False, C=0.01)
    return _pipeline(("detector", CalibratedClassifierCV(machine, ensemble=False)))


def _rbf_svm() -> Pipeline:
    return _pipeline(("detector", CalibratedClassifierCV(SVC(class_weight="balanced"), ensemble=False)))


def _network() -> Pipeline:
    return _pipeline(("detector", MLPClassifier((32,), max_iter=30)))


def _boosting() -> Pipeline:
    # No early stopping: its inner validation split would tear groups apart. No class weights: with weights of any kind
    # scikit-learn 1.9 takes twenty times as long, nearly all of it in finding the edges of its bins.
    trees = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, max_leaf_nodes=8, early_stopping=False)
    return _pipeline(("detector", trees))


DETECTORS: dict[str, Detector] = {
    "best_signal": Detector(_best_signal),
    "logistic_regression": Detector(
        _logistic_regression, {"detector__C": (0.01, 1.0)}, {"detector__C": Range(1e-3, 1e2)}
    ),
    "linear_svm": Detector(
        _linear_svm, {"detector__estimator__C": (0.001, 0.1)}, {"detector__estimator__C": Range(1e-4, 1e1)}, rows=4000
    ),
    "rbf_svm": Detector(
        _rbf_svm,
        {"detector__estimator__C": (1.0, 10.0)},
        {"detector__estimator__C": Range(1e-1, 1e2), "detector__estimator__gamma": Range(1e-4, 1e-1)},
        rows=2000,
    ),
    "network": Detector(
        _network,
        {"detector__alpha": (1e-3, 1.0)},
        {"detector__alpha": Range(1e-5, 1e1), "detector__learning_rate_init": Range(3e-4, 1e-2)},
        weighted=True,
    ),
    "gradient_boosting": Detector(
        _boosting,
        {"detector__max_leaf_nodes": (4, 12)},
        {"detector__max_leaf_nodes": Range(3, 31, whole=True), "detector__learning_rate": Range(0.03, 0.3)},
        rows=4000,
    ),
}


def find_detector(name: str) -> Detector:
    """The detector of this name. Raises UnknownName."""
    if name not in DETECTORS:
        raise UnknownName("detector", name, DETECTORS)
    return DETECTORS[name]


def fit_detector(
    name: str, parameters: Mapping[str, object], X: np.ndarray, positive: np.ndarray, groups: np.ndarray, seed: int
) -> Pipeline:
    """A detector fitted on these rows; `predict_proba` gives the probability of the positive class as column 1.

    X: float (n, columns); positive: bool (n,); groups: int64 (n,). Where the estimator has no probabilities they come
    from held-out rows of grouped folds (Platt 1999). Raises UnknownName, and BadData as `folds` does.
    """
    detector = find_detector(name)
    model = detector.make().set_params(**parameters)
    rows = thin(positive, detector.rows, seed)
    X, positive, groups = X[rows], positive[rows], groups[rows]
    given = model.get_params()
    model.set_params(**{key: seed for key in given if key.endswith("random_state")})
    calibrated = "detector__cv" in given
    if calibrated:
        fold = folds(positive, groups, seed, CALIBRATION_FOLDS)
        sides = [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in np.unique(fold)]
        model.set_params(detector__cv=sides)
    weights = {"detector__sample_weight": compute_sample_weight("balanced", positive)} if detector.weighted else {}
    with warnings.catch_warnings():  # the network's number of epochs is its early stop
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, positive, **weights)
    return model.set_params(detector__cv=None) if calibrated else model


def thin(positive: np.ndarray, rows: int | None, seed: int) -> np.ndarray:
    """int64 (at most about `rows`,): positions of a stratified part, ascending; 20 or more of each class."""
    if rows is None or len(positive) <= rows:
        return np.arange(len(positive))
    generator = np.random.default_rng(seed)
    chosen = []
    for side in (np.flatnonzero(positive), np.flatnonzero(~positive)):
        count = min(len(side), max(20, round(len(side) * rows / len(positive))))
        chosen.append(generator.choice(side, count, replace=False))
    return np.sort(np.concatenate(chosen))

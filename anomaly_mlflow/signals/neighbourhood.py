"""How a sample lies among its nearest references (part of the family `geometry`).

z and scaling as in `clean_side`. Where a fold has fewer references than a signal asks for, all of them are taken.
"""

import numpy as np

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.clean_side import LEAST, by_fold, scale
from anomaly_mlflow.signals.evidence import CrossFit, Evidence
from anomaly_mlflow.signals.neighbours import Neighbours

__all__ = ["knn_disagreement", "knn_distance", "local_outlier_factor"]

NEEDS = ("references",)
NEIGHBOURS, LOF_NEIGHBOURS = 10, 20
NO_ZERO = 1e-10  # as in scikit-learn, so that the numbers agree where references coincide
LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)


@signal("geometry", NEEDS, (AnomalyType.OOD,), "after Sun et al. (2022), ICML: the mean in place of the k-th", "nrd")
def knn_distance(evidence: Evidence) -> np.ndarray:
    """Mean cosine distance of z to its 10 nearest references, over its leave-one-out median for reference rows.

    Does not see the given label.
    """
    return by_fold(evidence, lambda fold, labels, _: _neighbour_distance(fold))


@signal("geometry", NEEDS, LABEL_ERRORS, "Zhu et al. (2022), ICML (SimiFeat: similarity-weighted vote)", "nrd")
def knn_disagreement(evidence: Evidence) -> np.ndarray:
    """1 - share of the 10 nearest references that bear the given label, each weighted by its cosine.

    The weights order samples within the 11 steps of the plain share; unanimous neighbours give exactly 0 or 1.
    """
    return by_fold(evidence, lambda fold, labels, _: _disagreement(fold, labels))


@signal("geometry", NEEDS, (AnomalyType.OOD,), "Breunig et al. (2000), SIGMOD (local outlier factor)", "nrd")
def local_outlier_factor(evidence: Evidence) -> np.ndarray:
    """Mean of lrd(o) / lrd(z) over the 20 nearest references o: above 1 where z lies thinner than they do.

    lrd(x) = 1 / mean of max(d(x, o), distance of o to its 20th nearest other reference), over the 20 nearest
    references o of x; d is Euclidean on unit vectors. Does not see the given label.
    """
    return by_fold(evidence, lambda fold, labels, _: _outlier_factor(fold))


def _neighbour_distance(fold: CrossFit) -> np.ndarray:
    others = fold.reference_neighbours.cosine_distance[:, :NEIGHBOURS]
    spread = scale(others.mean(axis=1)) if others.size else 1.0
    return fold.neighbours.cosine_distance[:, :NEIGHBOURS].mean(axis=1) / spread


def _disagreement(fold: CrossFit, labels: np.ndarray) -> np.ndarray:
    weights = np.maximum(1 - fold.neighbours.cosine_distance[:, :NEIGHBOURS], LEAST)
    agreeing = fold.reference_labels[fold.neighbours.index[:, :NEIGHBOURS]] == labels[:, None]
    return (weights * ~agreeing).sum(axis=1) / weights.sum(axis=1)


def _outlier_factor(fold: CrossFit) -> np.ndarray:
    known = fold.reference_neighbours
    k = min(LOF_NEIGHBOURS, known.index.shape[1])
    if k == 0:  # a single reference has no density to compare with
        return np.ones(len(fold.rows))
    reach = known.distance[:, k - 1]
    density = _reachability_density(known, reach, k)
    nearest = fold.neighbours.index[:, :k]
    return density[nearest].mean(axis=1) / _reachability_density(fold.neighbours, reach, k)


def _reachability_density(neighbours: Neighbours, reach: np.ndarray, k: int) -> np.ndarray:
    reachable = np.maximum(neighbours.distance[:, :k], reach[neighbours.index[:, :k]])
    return 1 / (reachable.mean(axis=1) + NO_ZERO)

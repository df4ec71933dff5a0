"""Where a sample lies in the embedding of an encoder that never saw it, among clean rows of other folds.

z = embedding scaled to length 1; mu_c = mean z of the fold's reference rows of class c, scaled to length 1;
cosine distance = 1 - cosine, in 0 .. 2. Each fold has an encoder of its own: distances are divided by the median of
the same distance over the fold's reference rows, so that folds compare. Bad references raise BadData.
"""

from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.evidence import CrossFit, Evidence

__all__ = ["knn_disagreement", "knn_distance", "prototype_distance", "prototype_ratio"]

NEEDS = ("references",)
NEIGHBOURS = 10
FARTHEST = 2.0
LEAST = 1e-7  # float32 embeddings carry no smaller cosine distance
LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
FAR_TYPES = (AnomalyType.GROSS, AnomalyType.RANDOM_FLIP, AnomalyType.OOD)


@signal("geometry", NEEDS, FAR_TYPES, "Lee et al. (2018), CVPR (CleanNet: cosine to the class prototype)")
def prototype_distance(evidence: Evidence) -> np.ndarray:
    """Cosine distance of z to mu_y of the given label, over its median for reference rows.

    A class without reference rows is at the largest distance, 2.
    """
    return _by_fold(evidence, _own_distance)


@signal("geometry", NEEDS, LABEL_ERRORS, "Snell et al. (2017), NeurIPS (prototypes); log ratio of two distances")
def prototype_ratio(evidence: Evidence) -> np.ndarray:
    """ln of d(z, mu_y) / min_{c != y} d(z, mu_c), cosine distances: above 0 another class is nearer.

    A class without reference rows is at the largest distance, 2.
    """
    return _by_fold(evidence, _log_ratio)


@signal("geometry", NEEDS, (AnomalyType.OOD,), "Sun et al. (2022), ICML (deep nearest neighbours)")
def knn_distance(evidence: Evidence) -> np.ndarray:
    """Mean cosine distance of z to its 10 nearest references, over its leave-one-out median for reference rows.

    Does not see the given label. Where a fold has fewer than 10 references, all of them.
    """
    return _by_fold(evidence, lambda fold, labels, _: _neighbour_distance(fold))


@signal("geometry", NEEDS, LABEL_ERRORS, "Zhu et al. (2022), ICML (SimiFeat: similarity-weighted vote)")
def knn_disagreement(evidence: Evidence) -> np.ndarray:
    """1 - share of the 10 nearest references that bear the given label, each weighted by its cosine.

    The weights order samples within the 11 steps of the plain share; unanimous neighbours give exactly 0 or 1.
    """
    return _by_fold(evidence, lambda fold, labels, _: _disagreement(fold, labels))


def _by_fold(evidence: Evidence, judge: Callable[[CrossFit, np.ndarray, int], np.ndarray]) -> np.ndarray:
    values = np.empty(len(evidence.labels))
    for fold in evidence.references:
        if len(fold.reference_labels) == 0:
            raise BadData("a fold has no reference rows; use fewer folds or a smaller share of anomalies")
        values[fold.rows] = judge(fold, evidence.labels[fold.rows], evidence.num_classes)
    return values


def _own_distance(fold: CrossFit, labels: np.ndarray, num_classes: int) -> np.ndarray:
    prototypes, present = _prototypes(fold, num_classes)
    distance = _distances(fold.embeddings, prototypes, present)
    reference = _distances(fold.reference_embeddings, prototypes, present)
    return _at(distance, labels) / _scale(_at(reference, fold.reference_labels))


def _log_ratio(fold: CrossFit, labels: np.ndarray, num_classes: int) -> np.ndarray:
    distance = np.maximum(_distances(fold.embeddings, *_prototypes(fold, num_classes)), LEAST)
    others = distance.copy()
    np.put_along_axis(others, labels[:, None], FARTHEST, axis=1)
    return np.log(_at(distance, labels) / others.min(axis=1))


def _prototypes(fold: CrossFit, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    members = np.eye(num_classes)[fold.reference_labels]
    return normalize(members.T @ _unit(fold.reference_embeddings)), members.any(axis=0)


def _distances(embeddings: np.ndarray, prototypes: np.ndarray, present: np.ndarray) -> np.ndarray:
    return np.where(present, 1 - _unit(embeddings) @ prototypes.T, FARTHEST)


def _neighbour_distance(fold: CrossFit) -> np.ndarray:
    index = _index(fold)
    spread = 1.0
    if index.n_samples_fit_ > 1:
        itself_left_out, _ = index.kneighbors(n_neighbors=min(NEIGHBOURS, index.n_samples_fit_ - 1))
        spread = _scale(_cosine_distance(itself_left_out))
    euclidean, _ = index.kneighbors(_unit(fold.embeddings))
    return _cosine_distance(euclidean) / spread


def _disagreement(fold: CrossFit, labels: np.ndarray) -> np.ndarray:
    euclidean, nearest = _index(fold).kneighbors(_unit(fold.embeddings))
    weights = np.maximum(1 - euclidean**2 / 2, LEAST)
    agreeing = fold.reference_labels[nearest] == labels[:, None]
    return (weights * ~agreeing).sum(axis=1) / weights.sum(axis=1)


def _index(fold: CrossFit) -> NearestNeighbors:
    """Euclidean search, which scikit-learn does in small blocks; on unit vectors its order is that of the cosine."""
    references = _unit(fold.reference_embeddings)
    return NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(references)), algorithm="brute").fit(references)


def _cosine_distance(euclidean: np.ndarray) -> np.ndarray:
    return (euclidean**2 / 2).mean(axis=1)


def _unit(embeddings: np.ndarray) -> np.ndarray:
    return normalize(embeddings.astype(np.float64))


def _at(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, labels[:, None], axis=1)[:, 0]


def _scale(distances: np.ndarray) -> float:
    return max(float(np.median(distances)), LEAST)

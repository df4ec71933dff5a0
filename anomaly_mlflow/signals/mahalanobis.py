"""Distances in units of the spread within classes (part of the family `geometry`).

D_c = (x - m_c)^T S^-1 (x - m_c): x = embedding as it is, m_c = mean of the fold's reference rows of class c, S = their
shared within-class covariance, shrunk where it is singular (`covariance`). All are divided by the median of D over the
fold's reference rows, each to its nearest (label_mahalanobis: its own) class.
"""

import numpy as np
from scipy.spatial.distance import cdist

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.clean_side import by_fold, class_means, scale
from anomaly_mlflow.signals.covariance import whitening
from anomaly_mlflow.signals.evidence import CrossFit, Evidence
from anomaly_mlflow.signals.suggestion import of_given_label

__all__ = ["label_mahalanobis", "mahalanobis", "relative_mahalanobis"]

NEEDS = ("references",)
COST = "rd^2 + nCd"
LEE = "Lee et al. (2018), NeurIPS (Mahalanobis distance)"
MISPLACED = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP, AnomalyType.OOD)


@signal("geometry", NEEDS, (AnomalyType.OOD,), LEE, COST)
def mahalanobis(evidence: Evidence) -> np.ndarray:
    """min_c D_c, over its median for reference rows. Does not see the given label."""
    return by_fold(evidence, lambda fold, labels, num_classes: _smallest(fold, num_classes))


@signal("geometry", NEEDS, MISPLACED, f"{LEE}, to the given class", COST)
def label_mahalanobis(evidence: Evidence) -> np.ndarray:
    """D_y of the given label, over its median for reference rows.

    A class without reference rows is as far as the farthest one.
    """
    return by_fold(evidence, _own)


@signal("geometry", NEEDS, (AnomalyType.OOD,), "Ren et al. (2021), arXiv:2106.09022 (relative Mahalanobis)", COST)
def relative_mahalanobis(evidence: Evidence) -> np.ndarray:
    """min_c D_c - D_0, over the median of min_c D_c for reference rows; D_0 is to the mean of all reference rows, in
    units of their whole covariance. Does not see the given label.
    """
    return by_fold(evidence, lambda fold, labels, num_classes: _relative(fold, num_classes))


def _smallest(fold: CrossFit, num_classes: int) -> np.ndarray:
    judged, references = _distances(fold, num_classes)
    return judged.min(axis=1) / scale(references.min(axis=1))


def _own(fold: CrossFit, labels: np.ndarray, num_classes: int) -> np.ndarray:
    judged, references = _distances(fold, num_classes)
    farthest = judged.max(axis=1, keepdims=True, where=np.isfinite(judged), initial=0)
    own = of_given_label(np.minimum(judged, farthest), labels)
    return own / scale(of_given_label(references, fold.reference_labels))


def _relative(fold: CrossFit, num_classes: int) -> np.ndarray:
    judged, references = _distances(fold, num_classes)
    known = fold.reference_embeddings.astype(np.float64)
    centre = known.mean(axis=0)
    background = (((fold.embeddings - centre) @ whitening(known - centre)) ** 2).sum(axis=1)
    return (judged.min(axis=1) - background) / scale(references.min(axis=1))


def _distances(fold: CrossFit, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """D_c of the judged rows (m, C) and of the references (r, C); infinite where a class has no reference rows."""
    white = fold.reference_embeddings @ fold.whitening
    means, count = class_means(white, fold.reference_labels, num_classes)
    judged = cdist(fold.embeddings @ fold.whitening, means, "sqeuclidean")
    return np.where(count, judged, np.inf), np.where(count, cdist(white, means, "sqeuclidean"), np.inf)

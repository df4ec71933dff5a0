"""How far a sample lies from the prototypes of the classes (part of the family `geometry`).

mu_c = mean z of the fold's reference rows of class c, scaled to length 1; z and scaling as in `clean_side`.
"""

import numpy as np
from sklearn.preprocessing import normalize

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.clean_side import LEAST, by_fold, class_means, scale
from anomaly_mlflow.signals.evidence import CrossFit, Evidence
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["prototype_distance", "prototype_ratio"]

NEEDS = ("references",)
FARTHEST = 2.0
LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
FAR_TYPES = (AnomalyType.GROSS, AnomalyType.RANDOM_FLIP, AnomalyType.OOD)


@signal("geometry", NEEDS, FAR_TYPES, "Lee et al. (2018), CVPR (CleanNet: cosine to the class prototype)", "nCd")
def prototype_distance(evidence: Evidence) -> np.ndarray:
    """Cosine distance of z to mu_y of the given label, over its median for reference rows.

    A class without reference rows is at the largest distance, 2.
    """
    return by_fold(evidence, _own_distance)


@signal("geometry", NEEDS, LABEL_ERRORS, "Snell et al. (2017), NeurIPS (prototypes); log ratio of two distances", "nCd")
def prototype_ratio(evidence: Evidence) -> np.ndarray:
    """ln of d(z, mu_y) / min_{c != y} d(z, mu_c), cosine distances: above 0 another class is nearer.

    A class without reference rows is at the largest distance, 2.
    """
    return by_fold(evidence, _log_ratio)


def _own_distance(fold: CrossFit, labels: np.ndarray, num_classes: int) -> np.ndarray:
    prototypes = _prototypes(fold, num_classes)
    reference = of_given_label(_distances(fold.unit_references, *prototypes), fold.reference_labels)
    return of_given_label(_distances(fold.unit, *prototypes), labels) / scale(reference)


def _log_ratio(fold: CrossFit, labels: np.ndarray, num_classes: int) -> np.ndarray:
    distance = np.maximum(_distances(fold.unit, *_prototypes(fold, num_classes)), LEAST)
    nearest_other = np.minimum(-others_only(-distance, labels).max(axis=1), FARTHEST)
    return np.log(of_given_label(distance, labels) / nearest_other)


def _prototypes(fold: CrossFit, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    means, count = class_means(fold.unit_references, fold.reference_labels, num_classes)
    return normalize(means), count > 0


def _distances(unit: np.ndarray, prototypes: np.ndarray, present: np.ndarray) -> np.ndarray:
    return np.where(present, 1 - unit @ prototypes.T, FARTHEST)

"""Whether a sample sits better in its given class or in another one (part of the family `geometry`).

s = (b - a) / max(a, b), a = distance to the class of the given label, b = to the nearest other class; what is given
is -s, so that -1 is at home and above 0 another class is nearer. s is 0 where a or b does not exist for want of
reference rows, as for a class of one row in scikit-learn. z as in `clean_side`; s is a ratio and needs no scaling.
"""

import numpy as np
from scipy.spatial.distance import cdist

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.signals.base import signal
from anomaly_mlflow.signals.clean_side import by_fold, class_means
from anomaly_mlflow.signals.evidence import CrossFit, Evidence
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["silhouette", "simplified_silhouette"]

NEEDS = ("references",)
LABEL_ERRORS = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
ROUSSEEUW = "Rousseeuw (1987), Journal of Computational and Applied Mathematics 20 (silhouette)"
HRUSCHKA = "Hruschka, de Castro and Campello (2004), ICDM (simplified silhouette)"


@signal("geometry", NEEDS, LABEL_ERRORS, ROUSSEEUW, "nCd")
def silhouette(evidence: Evidence) -> np.ndarray:
    """-s, the distance to a class being the mean cosine distance to its reference rows."""
    return by_fold(evidence, _exact)


@signal("geometry", NEEDS, LABEL_ERRORS, HRUSCHKA, "nCd")
def simplified_silhouette(evidence: Evidence) -> np.ndarray:
    """-s, the distance to a class being the Euclidean one of z to the mean z of its reference rows."""
    return by_fold(evidence, _simplified)


def _exact(fold: CrossFit, labels: np.ndarray, num_classes: int) -> np.ndarray:
    means, count = class_means(fold.unit_references, fold.reference_labels, num_classes)
    return _turned(1 - fold.unit @ means.T, count > 0, labels)  # the mean of cosines is the cosine's mean on unit rows


def _simplified(fold: CrossFit, labels: np.ndarray, num_classes: int) -> np.ndarray:
    means, count = class_means(fold.unit_references, fold.reference_labels, num_classes)
    return _turned(cdist(fold.unit, means), count > 0, labels)


def _turned(distance: np.ndarray, present: np.ndarray, labels: np.ndarray) -> np.ndarray:
    distance = np.where(present, distance, np.inf)
    own, other = of_given_label(distance, labels), -others_only(-distance, labels).max(axis=1)
    largest = np.maximum(own, other)
    defined = np.isfinite(largest) & (largest > 0)
    return np.divide(own - other, largest, out=np.zeros(len(labels)), where=defined)

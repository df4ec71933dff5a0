"""Evidence -> one float per sample; importing this package fills SIGNALS."""

from anomaly_mlflow.signals import (
    class_alignment,
    dynamics,
    image_quality,
    label,
    mahalanobis,
    near_duplicate,
    neighbour_labels,
    neighbourhood,
    ood,
    prediction_depth,
    prototypes,
    silhouette,
    trajectory,
    uncertainty,
    virtual_logit,
)
from anomaly_mlflow.signals.base import FAMILIES, LABEL_FREE, SIGNALS, Signal, find
from anomaly_mlflow.signals.evidence import CrossFit, Evidence, Head
from anomaly_mlflow.signals.suggestion import suggested_label
from anomaly_mlflow.signals.table import feature_table

__all__ = [
    "FAMILIES",
    "LABEL_FREE",
    "SIGNALS",
    "CrossFit",
    "Evidence",
    "Head",
    "Signal",
    "class_alignment",
    "dynamics",
    "feature_table",
    "find",
    "image_quality",
    "label",
    "mahalanobis",
    "near_duplicate",
    "neighbour_labels",
    "neighbourhood",
    "ood",
    "prediction_depth",
    "prototypes",
    "silhouette",
    "suggested_label",
    "trajectory",
    "uncertainty",
    "virtual_logit",
]

"""Evidence -> one float per sample; importing this package fills SIGNALS."""

from anomaly_mlflow.signals import (  # noqa: F401  (each registers its signals)
    cartography,
    class_alignment,
    confident,
    dynamics,
    gradients,
    image_quality,
    influence,
    label,
    mahalanobis,
    near_duplicate,
    neighbour_labels,
    neighbourhood,
    ood,
    own_prototypes,
    prediction_depth,
    prototypes,
    retraining,
    silhouette,
    trajectory,
    uncertainty,
    virtual_logit,
)
from anomaly_mlflow.signals.base import FAMILIES, LABEL_FREE, SIGNALS, Signal, find, signal
from anomaly_mlflow.signals.evidence import CrossFit, Evidence, Head
from anomaly_mlflow.signals.plugins import load_plugins
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
    "feature_table",
    "find",
    "signal",
    "suggested_label",
]

load_plugins()

"""Evidence -> one float per sample; importing this package fills SIGNALS."""

from anomaly_mlflow.signals import (
    cartography,
    confident,
    dynamics,
    geometry,
    gradients,
    label,
    retraining,
    trajectory,
    uncertainty,
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
    "cartography",
    "confident",
    "dynamics",
    "feature_table",
    "find",
    "geometry",
    "gradients",
    "label",
    "retraining",
    "suggested_label",
    "trajectory",
    "uncertainty",
]

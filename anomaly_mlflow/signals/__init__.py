"""Evidence -> one float per sample; importing this package fills SIGNALS."""

from anomaly_mlflow.signals import dynamics, geometry, label, trajectory, uncertainty
from anomaly_mlflow.signals.base import FAMILIES, SIGNALS, CrossFit, Evidence, Signal, find
from anomaly_mlflow.signals.suggestion import suggested_label
from anomaly_mlflow.signals.table import feature_table

__all__ = [
    "FAMILIES",
    "SIGNALS",
    "CrossFit",
    "Evidence",
    "Signal",
    "dynamics",
    "feature_table",
    "find",
    "geometry",
    "label",
    "suggested_label",
    "trajectory",
    "uncertainty",
]

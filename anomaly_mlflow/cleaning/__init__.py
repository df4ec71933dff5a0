"""What to do about anomalies: trust in every given label, the label it should be, repair, robust learners."""

from anomaly_mlflow.cleaning import (  # noqa: F401  (each registers its cleaners)
    class_prototypes,
    confident_learning,
    fine,
    likelihood_ratio,
    neighbour_vote,
    small_loss,
)
from anomaly_mlflow.cleaning.base import CLEANERS, MECHANISMS, Cleaned, Cleaner, cleaner, find_cleaner

__all__ = ["CLEANERS", "MECHANISMS", "Cleaned", "Cleaner", "cleaner", "find_cleaner"]

"""What to do about anomalies: trust in every given label, the label it should be, repair, robust learners."""

from anomaly_mlflow.cleaning import (  # noqa: F401  (each registers its cleaners, or a group)
    anchor_ablation,
    anchor_cleaners,
    class_prototypes,
    confident_learning,
    conformal,
    entropy_window,
    fine,
    imprecise_labels,
    likelihood_ratio,
    margin_threshold,
    neighbour_vote,
    online_label_refinement,
    small_loss,
    spectral_truncation,
)
from anomaly_mlflow.cleaning.base import CLEANERS, GROUPS, MECHANISMS, Cleaned, Cleaner, cleaner, find_cleaner

__all__ = ["CLEANERS", "GROUPS", "MECHANISMS", "Cleaned", "Cleaner", "cleaner", "find_cleaner"]

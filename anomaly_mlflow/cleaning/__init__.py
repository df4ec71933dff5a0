"""What to do about anomalies: trust in every given label, the label it should be, repair, robust learners."""

from anomaly_mlflow.cleaning import (  # noqa: F401  (each registers its cleaners)
    conformal,
    entropy_window,
    imprecise_labels,
    margin_threshold,
    online_label_refinement,
    spectral_truncation,
)

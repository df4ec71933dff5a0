"""A detector that the sweep registered."""

from sklearn.base import ClassifierMixin

from anomaly_mlflow.tracking.registry import run_of_model
from anomaly_mlflow.tracking.run import Run

__all__ = ["registered_detector"]


def registered_detector(name: str) -> tuple[ClassifierMixin, list[str]]:
    """The fitted pipeline and the columns it reads, from `models:/NAME@ALIAS`. Raises RunNotFound and BadData."""
    from anomaly_mlflow.detection.saved import load_detector  # reads skops, which only this needs

    fitted = load_detector(Run(run_of_model(name)).path("detector"))
    return fitted.model, list(fitted.columns)

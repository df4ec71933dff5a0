"""A detector that the sweep registered."""

from sklearn.base import ClassifierMixin

from anomaly_mlflow.errors import RunNotFound
from anomaly_mlflow.tracking.registry import run_of_model
from anomaly_mlflow.tracking.run import Run

__all__ = ["registered_detector"]


def registered_detector(name: str) -> tuple[ClassifierMixin, list[str]]:
    """The fitted pipeline and the columns it reads, from `models:/NAME@ALIAS`. Raises RunNotFound and BadData."""
    from anomaly_mlflow.detection.saved import load_detector  # reads skops, which only this needs

    run = Run(run_of_model(name) or "none")
    try:
        folder = run.path("detector")
    except RunNotFound:
        raise RunNotFound(
            f"{name} is no detector that a sweep registered; name one such as models:/detector-..."
        ) from None
    fitted = load_detector(folder)
    return fitted.model, list(fitted.columns)

"""Images -> embedding -> logits."""

from anomaly_mlflow.models import convnet, resnet, vit  # noqa: F401  (each registers its model)
from anomaly_mlflow.models.build import MODELS, Architecture, Classifier, build

__all__ = ["MODELS", "Architecture", "Classifier", "build"]

"""Images -> embedding -> logits."""

from anomaly_mlflow.models import convnet, convnext, pair, resnet, resnet18, timm_model, vit  # noqa: F401  (each registers)
from anomaly_mlflow.models.build import Architecture, Classifier, build
from anomaly_mlflow.models.registry import MODELS, find, spoken_names

__all__ = ["MODELS", "Architecture", "Classifier", "build", "find", "spoken_names"]

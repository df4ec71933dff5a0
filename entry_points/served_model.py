"""The code of a registered model: uint8 images in, class probabilities out. MLflow runs this file to serve it."""

from pathlib import Path

import mlflow
import numpy as np
import torch

from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.inference import infer


class ServedModel(mlflow.pyfunc.PythonModel):
    """images uint8 (n, height, width, channels) -> probabilities float32 (n, classes)."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Read architecture and weights; nothing is unpickled."""
        self.model = load_model(Path(context.artifacts["model"]))

    def predict(self, context: mlflow.pyfunc.PythonModelContext, model_input: np.ndarray, params: dict | None = None) -> np.ndarray:
        """Softmax of the evaluation pass."""
        logits = infer(self.model, np.asarray(model_input, np.uint8))[1]
        return torch.from_numpy(logits).softmax(dim=1).numpy()


mlflow.models.set_model(ServedModel())

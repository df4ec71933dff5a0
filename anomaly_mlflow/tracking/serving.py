"""How MLflow serves a registered model: plain functions around the files, no pickle."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np

__all__ = ["Predict", "serve"]

Predict = Callable[[np.ndarray], np.ndarray]


def serve(load: Callable[[Path], Predict]) -> None:
    """Declare the model of a file that MLflow runs; `load` makes a predict function of the artifact folder `model`."""

    class Served(mlflow.pyfunc.PythonModel):
        def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
            self._predict = load(Path(context.artifacts["model"]))

        def predict(
            self, context: mlflow.pyfunc.PythonModelContext, model_input: np.ndarray, params: dict | None = None
        ) -> np.ndarray:
            return self._predict(model_input)

    mlflow.models.set_model(Served())

"""The code of a registered model: uint8 images in, class probabilities out. MLflow runs this file to serve it."""

from pathlib import Path

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.tracking.serving import Predict, serve
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.inference import infer


def load(folder: Path) -> Predict:
    """Images uint8 (n, height, width, channels) -> probabilities float32 (n, classes)."""
    model = load_model(folder)
    return lambda images: softmax(infer(model, np.asarray(images, np.uint8))[1], axis=1)


serve(load)

"""The code of a registered detector: signals in, probability and flag out. MLflow runs this file to serve it."""

from pathlib import Path

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.nested import probability_of
from anomaly_mlflow.detection.saved import load_detector
from anomaly_mlflow.tracking.serving import Predict, serve


def load(folder: Path) -> Predict:
    """A frame with the columns of the detector -> probability float64 and flagged bool, row by row."""
    fitted = load_detector(folder)

    def predict(frame: pd.DataFrame) -> pd.DataFrame:
        probability = probability_of(fitted.model, frame[list(fitted.columns)].to_numpy(np.float64))
        return pd.DataFrame({"probability": probability, "flagged": probability >= fitted.threshold})

    return predict


serve(load)

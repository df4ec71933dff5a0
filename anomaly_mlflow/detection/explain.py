"""Which signals make a sample look like its type: SHAP values of held-out rows."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import delayed
from scipy.stats import rankdata

from anomaly_mlflow.anomalies.types import AnomalyType, listed
from anomaly_mlflow.detection.judge_types import TypeFold, judge_types, type_judgement
from anomaly_mlflow.detection.table import ID
from anomaly_mlflow.detection.types import TYPES, merge
from anomaly_mlflow.training.folds import side_by_side

__all__ = ["Explanation", "explain", "shap_values"]

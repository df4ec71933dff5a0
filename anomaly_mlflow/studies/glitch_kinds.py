"""What was done to each row of a glitched set, as a number."""

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData

__all__ = ["KINDS", "kinds_of"]

KINDS = ("clean", "mislabelled", "anomaly")


def kinds_of(truth: pd.DataFrame) -> np.ndarray:
    """int64 (n,), positions in `KINDS`: 0 for rows that were not touched, 1 for mislabelled ones, 2 for anomalies.

    Raises BadData where all or none were.
    """
    kinds = truth["mislabelled"].to_numpy() + 2 * truth["anomaly"].to_numpy()
    if not kinds.any() or kinds.all():
        raise BadData("every row has a glitch, or none has: nothing is there to be told apart")
    return kinds.astype(np.int64)

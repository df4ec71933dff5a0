"""What the steps read that join the signals with the truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.tracking.run import Run
from entry_points.step import Upstream, only

__all__ = ["Judged", "read_judged"]


@dataclass(frozen=True)
class Judged:
    """Feature tables, one per seed of the noisy model; the ledger and the groups of the same rows."""

    features: list[pd.DataFrame]
    ledger: pd.DataFrame
    groups: np.ndarray


def read_judged(upstream: Upstream) -> Judged:
    """Read the runs of extract_features and the one of generate_noise."""
    noise: Run = only(upstream, "generate_noise")
    features = [run.frame("features.parquet") for run in upstream["extract_features"]]
    return Judged(features, noise.frame("ledger.parquet"), noise.frame("samples/labels.parquet")["group"].to_numpy())

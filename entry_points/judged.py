"""What the steps read that join the signals with the truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.run import Run
from entry_points.leak_check import check_leaks
from entry_points.ledger import read_ledger
from entry_points.step import Upstream, only

__all__ = ["Judged", "read_judged"]


@dataclass(frozen=True)
class Judged:
    """Feature tables, one per seed of the noisy model; the ledger and the groups of the same rows."""

    features: list[pd.DataFrame]
    ledger: pd.DataFrame
    groups: np.ndarray


def read_judged(upstream: Upstream) -> Judged:
    """Read the runs of extract_features and the one of generate_noise. Raises Leakage as `check_leaks` does."""
    noise: Run = only(upstream, "generate_noise")
    ids = [run.id for run in upstream["extract_features"]]
    if len(set(ids)) < len(ids):
        raise BadOption("features_run names a run twice; it would count as two seeds")
    features = [run.frame("features.parquet", {"sample_id": int}) for run in upstream["extract_features"]]
    labels = noise.frame("samples/labels.parquet", {"sample_id": int, "group": int})
    ledger = read_ledger(noise, labels["sample_id"].to_numpy())
    check_leaks(noise, upstream["extract_features"], features, ledger)
    return Judged(features, ledger, labels["group"].to_numpy())

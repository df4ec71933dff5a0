"""What the steps read that join the signals with the truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.tracking.run import Run
from entry_points.leak_check import check_leaks
from entry_points.step import Upstream, only

__all__ = ["Judged", "read_judged", "read_ledger"]


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


def read_ledger(noise: Run, sample_id: np.ndarray) -> pd.DataFrame:
    """The ledger in the order of these ids. Raises BadData where it lists other samples."""
    columns = {"sample_id": int, "true_label": int, "given_label": int, "anomaly_type": str, "source": str}
    ledger = noise.frame("ledger.parquet", columns)
    if not np.array_equal(np.sort(ledger["sample_id"]), np.sort(sample_id)):
        raise BadData(f"the ledger of run {noise.id} lists other samples than its labels; run generate_noise again")
    return ledger.set_index("sample_id").loc[sample_id].reset_index()

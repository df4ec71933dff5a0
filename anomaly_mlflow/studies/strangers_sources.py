"""One study, its images of no class told apart by where they are from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.strangers import source_of
from anomaly_mlflow.anomalies.types import AnomalyType

__all__ = ["only_source", "source_names"]


def source_names(ledger: pd.DataFrame) -> list[str]:
    """Where the images of no class are from, in alphabetical order."""
    return sorted(source_of(ledger["source"][_strangers(ledger)]).unique())


def only_source(
    features: Sequence[pd.DataFrame], ledger: pd.DataFrame, groups: np.ndarray, source: str
) -> tuple[list[pd.DataFrame], pd.DataFrame, np.ndarray]:
    """Tables, ledger and groups without the images of no class from other sources."""
    kept = (~_strangers(ledger) | (source_of(ledger["source"]) == source)).to_numpy()
    ids = ledger["sample_id"][kept]
    return [frame[frame["sample_id"].isin(ids)] for frame in features], ledger[kept], np.asarray(groups)[kept]


def _strangers(ledger: pd.DataFrame) -> pd.Series:
    return ledger["anomaly_type"] == AnomalyType.OOD

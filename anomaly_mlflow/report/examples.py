"""Samples of a type, drawn for a look at them."""

import numpy as np
import pandas as pd

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData

__all__ = ["examples", "label_name", "positions"]


def positions(samples: Samples, sample_id: np.ndarray) -> np.ndarray:
    """int64: where these ids stand in the samples. Raises BadData where one does not."""
    found = pd.Index(samples.sample_id).get_indexer(sample_id)
    if (found < 0).any():
        raise BadData(f"sample {sample_id[found < 0][0]} of the ledger is not in '{samples.name}'; use data of one run")
    return found


def examples(
    samples: Samples, ledger: pd.DataFrame, kind: str, count: int, seed: int = 0
) -> list[tuple[int, pd.Series]]:
    """Up to `count` (position in the samples, ledger row) of this type, drawn by the seed."""
    of_type = ledger[ledger["anomaly_type"] == kind]
    drawn = np.random.default_rng(seed).permutation(len(of_type))[:count]
    chosen = of_type.iloc[drawn]
    rows = positions(samples, chosen["sample_id"].to_numpy())
    return list(zip(rows.tolist(), (entry for _, entry in chosen.iterrows()), strict=True))


def label_name(samples: Samples, label: int) -> str:
    """Name of the class; `no class` for -1."""
    return samples.classes[label] if label >= 0 else "no class"

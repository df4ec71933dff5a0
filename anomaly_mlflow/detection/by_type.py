"""How well each single signal finds each type."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType, listed
from anomaly_mlflow.detection.measures import auroc
from anomaly_mlflow.detection.table import join, matrix

__all__ = ["auroc_by_type", "most_separating"]


def auroc_by_type(features: Sequence[pd.DataFrame], ledger: pd.DataFrame) -> pd.DataFrame:
    """AUROC of every signal for every type against clean rows (hard ones are not clean), mean over seeds.

    Rows = signals `family.signal`; columns = the types but clean, `human_error` only where it occurs. NaN where a type
    is absent.
    Raises Leakage and BadData as `join` and `matrix` do.
    """
    tables = [_of_one_seed(join(frame, ledger)) for frame in features]
    return pd.concat(tables).groupby(level=0, sort=False).mean()


def most_separating(table: pd.DataFrame, count: int = 8) -> list[str]:
    """Signals that separate best, types taking turns so that none of them crowds out the others.

    table: as `auroc_by_type` gives it; a signal far below .5 separates as well as one far above.
    """
    strength = (table - 0.5).abs()
    queues = [strength[kind].dropna().sort_values(ascending=False, kind="stable").index for kind in table.columns]
    turns = [name for turn in range(len(table)) for queue in queues for name in queue[turn : turn + 1]]
    return list(dict.fromkeys(turns))[:count]


def _of_one_seed(joined: pd.DataFrame) -> pd.DataFrame:
    columns, X = matrix(joined)
    types = joined["anomaly_type"].to_numpy()
    clean = types == AnomalyType.CLEAN
    table = {}
    for kind in listed(types)[1:]:
        rows = clean | (types == kind)
        table[str(kind)] = [auroc(X[rows, i], ~clean[rows]) for i in range(len(columns))]
    return pd.DataFrame(table, index=pd.Index(columns, name="signal"), dtype=np.float64)

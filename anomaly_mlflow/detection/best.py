"""The best single signal of every family for every type."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.measures import auroc_of
from anomaly_mlflow.detection.statistics import interval
from anomaly_mlflow.detection.table import join

__all__ = ["best_of_families"]

COLUMNS = ["family", "type", "signal", "candidates", "auroc", "low", "high"]


def best_of_families(
    features: Sequence[pd.DataFrame],
    ledger: pd.DataFrame,
    groups: np.ndarray,
    table: pd.DataFrame,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """For each family and type the signal of the highest AUROC against clean rows, with its 95 % interval.

    features: one frame per seed; groups: int64 (n,), in the order of the ledger; table: as `auroc_by_type` gives it.
    Columns: family, type, signal, candidates (signals of the family), auroc (mean over seeds), low, high (over seeds
    and source groups; NaN for a type of under 5 groups). The interval is that of the signal once chosen, on the same
    rows: the more candidates, the more the best looks better than it is. What is trained once for all seeds (clean
    side, other folds, probes) adds nothing to it.
    """
    tables = [join(frame, ledger) for frame in features]
    types = ledger["anomaly_type"].to_numpy()
    families = table.index.str.partition(".").get_level_values(0)
    rows = []
    for kind in table.columns[table.notna().all()]:
        chosen = (types == kind) | (types == AnomalyType.CLEAN)
        positive, group = types[chosen] == kind, groups[chosen]
        for family in dict.fromkeys(families):
            own = table.loc[families == family, kind]
            signal = own.idxmax()
            scores = np.stack([frame[signal].to_numpy()[chosen] for frame in tables])
            measure = auroc_of(scores, positive, np.zeros(len(positive), dtype=np.int64))
            (found,) = interval(measure, positive, group, draws=draws, seed=seed)
            rows.append((family, kind, signal, len(own), found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=COLUMNS)

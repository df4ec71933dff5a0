"""What keeps the type classifier from more: which confusions of types cost how much macro-F1."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.judge_types import TypeJudgement
from anomaly_mlflow.detection.type_measures import macro_f1_of
from anomaly_mlflow.detection.types import MERGED, merge_codes, type_codes

__all__ = ["limits"]


def limits(judged: Sequence[TypeJudgement], ledger: pd.DataFrame) -> pd.DataFrame:
    """Per pair of merged types, costliest first: what macro-F1 would gain if nobody confused these two.

    `first`, `second`; `confused`: rows of one that are called the other, mean over seeds; `gain` of macro-F1 with these
    rows called right and nothing else changed.
    """
    places = merge_codes(type_codes(ledger["anomaly_type"].to_numpy()))
    called = np.stack([one.merged_called for one in judged])
    weights = np.ones((1, len(places)))
    now = macro_f1_of(called, places, len(MERGED))(weights).mean()
    rows = []
    for a, b in combinations(np.unique(places), 2):
        confused = ((called == a) & (places == b)) | ((called == b) & (places == a))
        better = macro_f1_of(np.where(confused, places, called), places, len(MERGED))(weights).mean()
        names = {"first": str(MERGED[a]), "second": str(MERGED[b])}
        rows.append({**names, "confused": float(confused.sum(axis=1).mean()), "gain": float(better - now)})
    return pd.DataFrame(rows).sort_values("gain", ascending=False, kind="stable", ignore_index=True)

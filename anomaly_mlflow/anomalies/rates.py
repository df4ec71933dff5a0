"""What was really injected, counted in the ledger."""

import pandas as pd

from anomaly_mlflow.anomalies.plan import LABEL_TYPES
from anomaly_mlflow.anomalies.types import AnomalyType, listed

__all__ = ["convention_rates", "rates"]


def rates(ledger: pd.DataFrame) -> dict[str, float]:
    """What was really done: `count.TYPE`, `share.TYPE`, `label_noise`, `overlap.near_miss`, `overlap.gross`.

    label_noise: share of all rows that show a class and are given another label; ood is not among them.
    overlap.X: share of random flips whose (true, given) pair also occurs among the rows of type X; 0 without flips.
    """
    counts = ledger["anomaly_type"].value_counts()
    types = listed(counts.index)
    found = {f"count.{kind}": float(counts.get(kind.value, 0)) for kind in types}
    found |= {f"share.{kind}": float(counts.get(kind.value, 0) / len(ledger)) for kind in types}
    wrong = (ledger["true_label"] >= 0) & (ledger["true_label"] != ledger["given_label"])
    found["label_noise"] = float(wrong.mean())
    flips = _pairs(ledger, AnomalyType.RANDOM_FLIP)
    for kind in (AnomalyType.NEAR_MISS, AnomalyType.GROSS):
        also = flips.isin(_pairs(ledger, kind))
        found[f"overlap.{kind}"] = float(also.mean()) if len(flips) else 0.0
    return found


def convention_rates(ledger: pd.DataFrame, name: str, rate: float) -> dict[str, str | float]:
    """`convention` (its name), `.replaces` (types whose shares are 0), `.rate_asked`, `.rate_real`.

    rate_real: labels that it really changed, as a share of all.
    """
    changed = ledger["source"].str.startswith(f"convention {name} ")
    return {
        "convention": name,
        "convention.replaces": ", ".join(LABEL_TYPES),
        "convention.rate_asked": rate,
        "convention.rate_real": float(changed.mean()),
    }


def _pairs(ledger: pd.DataFrame, kind: AnomalyType) -> pd.MultiIndex:
    rows = ledger[ledger["anomaly_type"] == kind.value]
    return pd.MultiIndex.from_frame(rows[["true_label", "given_label"]])

"""A share of each anomaly type -> the samples with anomalies in them, and the ledger of what was done."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

import anomaly_mlflow.anomalies.labels
import anomaly_mlflow.anomalies.strangers  # noqa: F401  (both register injectors)
from anomaly_mlflow.anomalies.injector import INJECTORS, Host, generator
from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.on_disk import copied
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

__all__ = ["Shares", "check_shares", "inject", "rates"]

Shares = Mapping[AnomalyType, float]

# Types that not every class can take draw first.
ORDER = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP, AnomalyType.OOD)


def check_shares(shares: Shares) -> None:
    """Raises BadOption for a share outside [0, 1], for clean (the rest) or a sum above 1; UnknownName for a type."""
    for kind, share in shares.items():
        if kind not in set(AnomalyType):
            raise UnknownName("anomaly type", kind, AnomalyType)
        if kind == AnomalyType.CLEAN:
            raise BadOption("clean takes no share: it is what the other types leave")
        if not 0 <= share <= 1:
            raise BadOption(f"the share of {kind} is {share}; choose one in 0 to 1")
    if sum(shares.values()) > 1 + 1e-9:
        raise BadOption(f"the shares of all types sum to {sum(shares.values()):.4g}; lower them to 1 at most")


def inject(
    samples: Samples,
    shares: Shares,
    tables: Tables,
    *,
    hard: np.ndarray,
    strangers_spec: str = "photographs",
    ood_label: str = "random",
    seed: int = 0,
) -> tuple[Samples, pd.DataFrame]:
    """Samples with round(share * n) rows of each type, and the ledger, one row a sample in the same order.

    hard: bool (n,), rows left as they are and listed as hard; all others are eligible, near_miss and gross only where
    the table has a partner for the class. samples.labels count as true.
    Ledger: sample_id, anomaly_type, true_label (int64, -1 for ood), given_label (int64), source (str, "" for clean),
    severity (float64: 0 for clean, 1 for the rest, none of the types being graded).
    Raises BadOption where shares do not fit or rows run out, UnknownName for a type or policy, BadData for `hard`.
    """
    check_shares(shares)
    if hard.shape != (len(samples),) or hard.dtype != bool:
        raise BadData(f"hard must be a mask of {len(samples)} rows, not {hard.dtype} {hard.shape}")
    check_shares({**shares, AnomalyType.HARD: max(float(hard.mean()), shares.get(AnomalyType.HARD, 0.0))})
    host = Host(samples, tables, strangers_spec, ood_label, seed)
    chosen = _choose(host, shares, hard)
    arrays = {"images": copied(samples.images), "labels": samples.labels.copy(), "groups": samples.groups.copy()}
    ledger = _blank_ledger(samples, hard)
    for kind, rows in chosen.items():
        change = INJECTORS[kind].apply(host, rows)
        arrays["labels"][rows] = change.labels
        if change.images is not None:
            arrays["images"][rows], arrays["groups"][rows] = change.images, change.groups
            ledger["true_label"][rows] = -1
        ledger["anomaly_type"][rows], ledger["source"][rows], ledger["severity"][rows] = kind.value, change.sources, 1.0
    frame = pd.DataFrame(ledger).astype({"anomaly_type": "str", "source": "str"})
    frame.insert(3, "given_label", arrays["labels"])
    return replace(samples, **arrays), frame


def rates(ledger: pd.DataFrame) -> dict[str, float]:
    """What was really done: `count.TYPE`, `share.TYPE`, `label_noise`, `overlap.near_miss`, `overlap.gross`.

    label_noise: share of all rows that show a class and are given another label; ood is not among them.
    overlap.X: share of random flips whose (true, given) pair also occurs among the rows of type X; 0 without flips.
    """
    counts = ledger["anomaly_type"].value_counts()
    found = {f"count.{kind}": float(counts.get(kind.value, 0)) for kind in AnomalyType}
    found |= {f"share.{kind}": float(counts.get(kind.value, 0) / len(ledger)) for kind in AnomalyType}
    wrong = (ledger["true_label"] >= 0) & (ledger["true_label"] != ledger["given_label"])
    found["label_noise"] = float(wrong.mean())
    flips = _pairs(ledger, AnomalyType.RANDOM_FLIP)
    for kind in (AnomalyType.NEAR_MISS, AnomalyType.GROSS):
        also = flips.isin(_pairs(ledger, kind))
        found[f"overlap.{kind}"] = float(also.mean()) if len(flips) else 0.0
    return found


def _choose(host: Host, shares: Shares, hard: np.ndarray) -> dict[AnomalyType, np.ndarray]:
    free, chosen = ~hard, {}
    for kind in ORDER:
        number = round(shares.get(kind, 0.0) * len(hard))
        if number == 0:
            continue
        # Each type walks through all rows in an order of its own: another's share changes only which are taken.
        order = generator(host.seed, kind, "rows").permutation(len(hard))
        eligible = order[(free & INJECTORS[kind].eligible(host))[order]]
        if len(eligible) < number:
            raise BadOption(
                f"{kind} needs {number} rows and {len(eligible)} are eligible; lower its share or another's"
            )
        chosen[kind] = np.sort(eligible[:number])
        free[chosen[kind]] = False
    return chosen


def _blank_ledger(samples: Samples, hard: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "sample_id": samples.sample_id,
        "anomaly_type": np.where(hard, AnomalyType.HARD.value, AnomalyType.CLEAN.value).astype(object),
        "true_label": samples.labels.copy(),
        "source": np.where(hard, "selected", "").astype(object),
        "severity": hard.astype(np.float64),
    }


def _pairs(ledger: pd.DataFrame, kind: AnomalyType) -> pd.MultiIndex:
    rows = ledger[ledger["anomaly_type"] == kind.value]
    return pd.MultiIndex.from_frame(rows[["true_label", "given_label"]])

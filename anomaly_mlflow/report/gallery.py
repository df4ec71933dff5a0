"""The most suspicious samples of each type, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.explain import Explanation
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.report.examples import label_name, positions
from anomaly_mlflow.report.pictures import picture_uri

__all__ = ["Entry", "gallery", "reason"]

REASONS = 3


@dataclass(frozen=True)
class Entry:
    """One suspect.

    picture: PNG data URI; given, suggestion: what the label is and what to do about it; probability: held-out, of the
    type it is suspected of; reason: in words; truth, true_label: from the ledger, known only because it was injected.
    """

    sample_id: int
    picture: str
    given: str
    suggestion: str
    probability: float
    reason: str
    truth: AnomalyType
    true_label: str


def gallery(
    found: Explanation, samples: Samples, ledger: pd.DataFrame, suggested: np.ndarray, *, count: int = 20
) -> dict[AnomalyType, list[Entry]]:
    """The `count` samples of the highest held-out probability of each type, highest first.

    found, ledger and suggested (int64 (n,), the likeliest other label) stand in the same order; samples may not.
    A type that no classifier knows is left out. Raises BadData where rows or ids do not fit.
    """
    same = np.array_equal(found.sample_id, ledger["sample_id"])
    if not same or len(suggested) != len(ledger):
        raise BadData("explanation, ledger and suggested labels list different samples; use tables of one run")
    rows = positions(samples, found.sample_id)
    table = {}
    for kind in found.types[1:]:
        probability = found.probability[:, found.types.index(kind)]
        top = np.argsort(-probability, kind="stable")[:count]
        if probability.any():
            table[kind] = [_entry(found, samples, ledger, suggested, kind, i, int(rows[i])) for i in top]
    return table


def reason(columns: Sequence[str], values: np.ndarray, percentile: np.ndarray) -> str:
    """The signals that speak loudest for a type, in words.

    values: (signals,), SHAP values for that type; percentile: (signals,), where the sample stands under each signal.
    """
    loudest = [i for i in np.argsort(-values, kind="stable")[:REASONS] if values[i] > 0]
    words = [f"{columns[i].partition('.')[2]} {_level(percentile[i])}" for i in loudest]
    return ", ".join(words) or "no single signal speaks for it"


def _level(percentile: float) -> str:
    above, below = (max(1, int(np.ceil(100 * share))) for share in (1 - percentile, percentile))
    return f"high (top {above} %)" if percentile >= 0.5 else f"low (bottom {below} %)"


def _entry(
    found: Explanation,
    samples: Samples,
    ledger: pd.DataFrame,
    suggested: np.ndarray,
    kind: AnomalyType,
    row: int,
    position: int,
) -> Entry:
    entry, which = ledger.iloc[row], found.types.index(kind)
    return Entry(
        sample_id=int(found.sample_id[row]),
        picture=picture_uri(samples.images[position]),
        given=label_name(samples, entry["given_label"]),
        suggestion=_suggestion(kind, label_name(samples, int(suggested[row]))),
        probability=float(found.probability[row, which]),
        reason=reason(found.columns, found.values[row, :, which], found.percentile[row]),
        truth=AnomalyType(entry["anomaly_type"]),
        true_label=label_name(samples, entry["true_label"]),
    )


def _suggestion(kind: AnomalyType, other: str) -> str:
    return {AnomalyType.HARD: "keep the label", AnomalyType.OOD: "leave the image out"}.get(kind, other)

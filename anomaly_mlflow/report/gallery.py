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
from anomaly_mlflow.report.palette import SINGULARS
from anomaly_mlflow.report.phrases import phrase
from anomaly_mlflow.report.pictures import picture_uri

__all__ = ["Entry", "gallery", "reason", "sentence"]

REASONS = 3
ADVICE = {AnomalyType.HARD: "keep the label", AnomalyType.OOD: "leave the image out"}


@dataclass(frozen=True)
class Entry:
    """One suspect.

    picture: PNG data URI; given, suggestion: what the label is and what to do about it; probability: held-out, of the
    type it is suspected of; reason: a sentence; truth, true_label: from the ledger, known only because it was injected.
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
    """The signals that speak loudest for a type, in words; of a family the loudest one, for the others say the same.

    columns: `family.signal`; values: (signals,), SHAP values for that type; percentile: (signals,), where the sample
    stands under each signal.
    """
    loudest = {columns[i].partition(".")[0]: i for i in np.argsort(values, kind="stable") if values[i] > 0}
    chosen = sorted(loudest.values(), key=lambda i: -values[i])[:REASONS]
    clauses = [phrase(columns[i], percentile[i]) for i in chosen]
    return " and ".join(filter(None, [", ".join(clauses[:-1]), *clauses[-1:]])) or "no single signal speaks for it"


def sentence(given: str, suggestion: str, kind: AnomalyType, why: str) -> str:
    """What the sample looks like and why; given, suggestion: what the label is and what to do about it."""
    quoted = suggestion if kind in ADVICE else f"suggested '{suggestion}'"
    return f"Given '{given}', {quoted}: it looks like {SINGULARS[kind]}, mostly because {why}."


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
    given = label_name(samples, entry["given_label"])
    suggestion = ADVICE.get(kind, label_name(samples, int(suggested[row])))
    why = reason(found.columns, found.values[row, :, which], found.percentile[row])
    return Entry(
        sample_id=int(found.sample_id[row]),
        picture=picture_uri(samples.images[position]),
        given=given,
        suggestion=suggestion,
        probability=float(found.probability[row, which]),
        reason=sentence(given, suggestion, kind, why),
        truth=AnomalyType(entry["anomaly_type"]),
        true_label=label_name(samples, entry["true_label"]),
    )

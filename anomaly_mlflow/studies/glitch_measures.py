"""How well each signal finds the glitches of one cell, with bootstrap draws of every figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.contamination import estimated_contamination, f1_ceiling, flag
from anomaly_mlflow.detection.measures import Measure, auroc_of, average_precision_of, rates_of, together
from anomaly_mlflow.detection.shared_draws import resampled

__all__ = ["MEASURES", "Measured", "measure_signals"]

MEASURES = {
    "f1_known": "F1 where the contamination is known",
    "f1_estimated": "F1 where the contamination is estimated from the scores",
    "auroc": "AUROC",
    "average_precision": "average precision",
    "recall_mislabelled": "share of the wrong labels among the rows flagged at known contamination",
    "recall_anomaly": "share of the anomalies among them",
    "contamination_estimated": "contamination as estimated from the scores",
}
EITHER = {"cfrank": ("cnci", "pcid"), "cfrank_matched": ("cnci_matched", "pcid_matched")}
"""Ranks have no mixture: of a rank of two signals the estimate is the share that either of them flags."""


@dataclass(frozen=True)
class Measured:
    """Figures of one cell.

    values: one row a signal and measure: signal, measure, value. draws: (draws, columns `signal.measure`), resampled
    values in the same draws of rows for every signal, so that two columns compare as a pair, NaN where a kind has too
    few groups for an interval. ceiling: best F1 there is at the known contamination.
    """

    values: pd.DataFrame
    draws: pd.DataFrame
    ceiling: float


def measure_signals(
    scores: Mapping[str, np.ndarray],
    kinds: np.ndarray,
    groups: np.ndarray,
    contamination: float,
    *,
    shared: np.ndarray | None = None,
    draws: int = 2000,
    seed: int = 0,
    own_seed: int = 0,
) -> Measured:
    """Measure every signal against the truth.

    scores: name -> float (n,), higher = more suspicious; kinds: as `kinds_of` gives them; groups: int64 (n,), rows of
    one source; they are resampled within each kind. Thresholds stay those of the rows as they are.
    shared: bool (n,), rows that stand in every training of the cell, all by default; seed: the same for all of these,
    own_seed: of this one (see `shared_draws`).
    """
    positive, estimates = kinds > 0, _estimates(scores, own_seed)
    shared = np.ones(len(kinds), bool) if shared is None else shared
    columns, measures = [], []
    for name, values in scores.items():
        parts = _parts(values, kinds, contamination, estimates[name])
        columns += [f"{name}.{measure}" for measure in parts]
        measures += parts.values()
    whole = together(*measures)
    values = whole(np.ones((1, len(kinds)))).ravel()
    found = resampled(whole, kinds, groups, shared, draws=draws, seed=seed, own_seed=own_seed)
    frame = pd.DataFrame(found, columns=columns)
    told = {f"{name}.contamination_estimated": share for name, share in estimates.items()}
    frame = pd.concat([frame, pd.DataFrame(told, index=frame.index)], axis=1)
    value = dict(zip(columns, values, strict=True)) | told
    rows = [(*column.split("."), value[column]) for column in frame.columns]
    ceiling = f1_ceiling(len(kinds), int(positive.sum()), contamination)
    return Measured(pd.DataFrame(rows, columns=["signal", "measure", "value"]), frame, ceiling)


def _estimates(scores: Mapping[str, np.ndarray], seed: int) -> dict[str, float]:
    shares = {name: estimated_contamination(values, seed) for name, values in scores.items() if name not in EITHER}
    for name in filter(scores.__contains__, EITHER):
        flagged = [flag(scores[part], shares[part]) for part in EITHER[name]]
        shares[name] = float(np.logical_or(*flagged).mean())
    return shares


def _parts(values: np.ndarray, kinds: np.ndarray, known: float, estimated: float) -> dict[str, Measure]:
    positive, one_fold = kinds > 0, np.zeros(len(kinds), np.int64)
    flagged = flag(values, known)
    parts = {
        "f1_known": _rate(flagged, positive, 2),
        "f1_estimated": _rate(flag(values, estimated), positive, 2),
        "auroc": auroc_of(values, positive, one_fold),
        "average_precision": average_precision_of(values, positive, one_fold),
    }
    for number, kind in ((1, "mislabelled"), (2, "anomaly")):
        if (kinds == number).any():
            parts[f"recall_{kind}"] = _rate(flagged, kinds == number, 1)
    return parts


def _rate(flagged: np.ndarray, positive: np.ndarray, which: int) -> Measure:
    """Precision, recall or F1 (0, 1, 2) alone."""
    rates = rates_of(flagged, positive)
    return partial(_one_of, rates, which)


def _one_of(rates: Measure, which: int, weights: np.ndarray) -> np.ndarray:
    return rates(weights)[:, :, which]

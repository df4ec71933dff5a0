"""How well each signal finds the glitches of one cell, with bootstrap draws of every figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.contamination import estimated_contamination, f1_ceiling, flag
from anomaly_mlflow.detection.measures import Measure, auroc_of, average_precision_of, rates_of, together
from anomaly_mlflow.detection.statistics import FEWEST_GROUPS, bootstrap
from anomaly_mlflow.errors import BadData

__all__ = ["MEASURES", "Measured", "kinds_of", "measure_signals"]

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


def kinds_of(truth: pd.DataFrame) -> np.ndarray:
    """int64 (n,): 0 for rows that were not touched, 1 for mislabelled ones, 2 for anomalies.

    Raises BadData where all or none were.
    """
    kinds = truth["mislabelled"].to_numpy() + 2 * truth["anomaly"].to_numpy()
    if not kinds.any() or kinds.all():
        raise BadData("every row has a glitch, or none has: nothing is there to be told apart")
    return kinds.astype(np.int64)


def measure_signals(
    scores: Mapping[str, np.ndarray],
    kinds: np.ndarray,
    groups: np.ndarray,
    contamination: float,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> Measured:
    """Measure every signal against the truth.

    scores: name -> float (n,), higher = more suspicious; kinds: as `kinds_of` gives them; groups: int64 (n,), rows of
    one source; they are resampled within each kind. Thresholds stay those of the rows as they are.
    """
    positive, estimates = kinds > 0, _estimates(scores, seed)
    columns, measures = [], []
    for name, values in scores.items():
        parts = _parts(values, kinds, contamination, estimates[name])
        columns += [f"{name}.{measure}" for measure in parts]
        measures += parts.values()
    found = _in_turn(measures, kinds, groups, draws, seed)
    frame = pd.DataFrame(found[1:], columns=columns, dtype=np.float64)
    told = {f"{name}.contamination_estimated": share for name, share in estimates.items()}
    frame = pd.concat([frame, pd.DataFrame(told, index=frame.index)], axis=1)
    value = dict(zip(columns, found[0], strict=True)) | told
    rows = [(*column.split("."), value[column]) for column in frame.columns]
    ceiling = f1_ceiling(len(kinds), int(positive.sum()), contamination)
    return Measured(pd.DataFrame(rows, columns=["signal", "measure", "value"]), frame, ceiling)


def _estimates(scores: Mapping[str, np.ndarray], seed: int) -> dict[str, float]:
    shares = {name: estimated_contamination(values, seed) for name, values in scores.items() if name not in EITHER}
    for name in EITHER.keys() & scores.keys():
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


def _in_turn(measures: list[Measure], kinds: np.ndarray, groups: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(1 + draws, measures): the values, then the resampled ones."""
    whole = together(*measures)
    values = whole(np.ones((1, len(kinds)))).reshape(1, -1)
    if min(len(np.unique(groups[kinds == kind])) for kind in np.unique(kinds)) < FEWEST_GROUPS:
        return np.concatenate([values, np.full((draws, values.shape[1]), np.nan)])
    return np.concatenate([values, bootstrap(whole, kinds, groups, draws=draws, seed=seed).reshape(draws, -1)])

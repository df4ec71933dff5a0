"""Scores of the type classifier, each with an interval over seeds and source groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.strangers import source_of
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.calibration import classwise_error_of, reliability, top_label_error_of
from anomaly_mlflow.detection.calls import risk_coverage
from anomaly_mlflow.detection.judge_types import TypeJudgement
from anomaly_mlflow.detection.measures import Measure
from anomaly_mlflow.detection.statistics import interval
from anomaly_mlflow.detection.type_measures import f1_of, macro_f1_of, source_f1_of, source_recall_of
from anomaly_mlflow.detection.types import MERGED, TYPES, merge, merge_codes, type_codes

__all__ = ["calibration_table", "confusion_table", "risk_curves", "type_scores"]

OOD = TYPES.index(AnomalyType.OOD)


def type_scores(
    judged: Sequence[TypeJudgement], ledger: pd.DataFrame, groups: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """One row per score: `score`, `what`, `value` (mean over seeds), `low`, `high` (95 %), `n` (rows it is of).

    Scores, all on held-out rows: macro_f1 and f1 of the merged types, macro_f1_six and f1_six of all types;
    calibration_error (top label, all types), calibration_error_merged, calibration_error_classwise; ood_f1 and
    ood_recall of each source of strangers (`source_of` the ledger); abstention: coverage and precision of the
    calls of an anomaly that are kept. judged: one per seed; groups: int64 (n,), in the order of the ledger.
    """
    codes = type_codes(ledger["anomaly_type"].to_numpy())
    places = merge_codes(codes)
    rows = []
    for score, what, measure, n in _measures(judged, codes, places, ledger["source"]):
        for name, found, count in zip(what, interval(measure, codes, groups, draws=draws, seed=seed), n, strict=True):
            rows.append({"score": score, "what": name, **vars(found), "n": count})
    return pd.DataFrame(rows)


def confusion_table(judged: Sequence[TypeJudgement], ledger: pd.DataFrame, *, merged: bool) -> pd.DataFrame:
    """Counts per seed (a mean): one row per true type, `type`, and one column per called type."""
    names = MERGED if merged else TYPES
    codes = type_codes(ledger["anomaly_type"].to_numpy())
    codes = merge_codes(codes) if merged else codes
    called = [one.merged_called if merged else one.called for one in judged]
    size = len(names)
    counts = np.mean([np.bincount(codes * size + c, minlength=size**2).reshape(size, size) for c in called], axis=0)
    present = [k for k in range(size) if counts[k].sum()]
    table = pd.DataFrame(counts[np.ix_(present, present)], columns=[str(names[k]) for k in present])
    table.insert(0, "type", [str(names[k]) for k in present])
    return table


def calibration_table(judged: Sequence[TypeJudgement], ledger: pd.DataFrame) -> pd.DataFrame:
    """Reliability in 15 bins of equal mass: `seed` (0, 1, ...), `of`, `probability`, `right`, `n`.

    of: a type, or `top label`: the highest of all types' probabilities, right where it is the true type's.
    """
    codes = type_codes(ledger["anomaly_type"].to_numpy())
    frames = []
    for seed, one in enumerate(judged):
        p = one.probability
        parts = {"top label": reliability(p.max(axis=1), p.argmax(axis=1) == codes)}
        parts |= {str(TYPES[k]): reliability(p[:, k], codes == k) for k in np.unique(codes)}
        frames += [frame.assign(seed=seed, of=name) for name, frame in parts.items()]
    return pd.concat(frames, ignore_index=True)[["seed", "of", "probability", "right", "n"]]


def risk_curves(
    judged: Sequence[TypeJudgement], ledger: pd.DataFrame
) -> tuple[list[pd.DataFrame], list[tuple[float, float]]]:
    """Risk and coverage of the calls of an anomaly, one curve per seed, and where the rule of abstention stands."""
    places = merge_codes(type_codes(ledger["anomaly_type"].to_numpy()))
    curves, points = [], []
    for one in judged:
        p = merge(one.probability)[np.arange(len(places)), one.merged_called]
        flagged, right = one.merged_called > 0, one.merged_called == places
        curves.append(risk_coverage(p[flagged], right[flagged]))
        kept = flagged & ~one.abstains
        points.append((kept.sum() / max(1, flagged.sum()), float((~right[kept]).mean()) if kept.any() else 0.0))
    return curves, points


def _measures(
    judged: Sequence[TypeJudgement], codes: np.ndarray, places: np.ndarray, source: pd.Series
) -> list[tuple[str, list[str], Measure, list[int]]]:
    called, merged = np.stack([one.called for one in judged]), np.stack([one.merged_called for one in judged])
    probability = np.stack([one.probability for one in judged])
    present, places_present = np.unique(codes), np.unique(places)
    n = len(codes)
    measures = [
        ("macro_f1", ["merged types"], macro_f1_of(merged, places, len(MERGED)), [n]),
        ("macro_f1_six", ["all types"], macro_f1_of(called, codes, len(TYPES)), [n]),
        _each("f1", merged, places, places_present, MERGED),
        _each("f1_six", called, codes, present, TYPES),
        ("calibration_error", ["top label"], top_label_error_of(probability, codes), [n]),
        ("calibration_error_merged", ["top label"], top_label_error_of(merge(probability), places), [n]),
        ("calibration_error_classwise", ["mean of types"], classwise_error_of(probability[:, :, present], codes), [n]),
    ]
    return [*measures, *_of_sources(merged == MERGED.index("ood"), codes == OOD, source), *_kept(judged, places)]


def _each(score: str, called: np.ndarray, codes: np.ndarray, present: np.ndarray, names: Sequence[str]) -> tuple:
    each, count = f1_of(called, codes, len(names)), np.bincount(codes)
    return score, [str(names[k]) for k in present], lambda w: each(w)[:, :, present], [int(count[k]) for k in present]


def _of_sources(called: np.ndarray, ood: np.ndarray, source: pd.Series) -> list[tuple]:
    names = source_of(source).to_numpy()
    rows = []
    for name in sorted(set(names[ood])):
        own = ood & (names == name)
        rows.append(("ood_f1", [name], source_f1_of(called, own, ood), [int(own.sum())]))
        rows.append(("ood_recall", [name], source_recall_of(called, own), [int(own.sum())]))
    return rows


def _kept(judged: Sequence[TypeJudgement], places: np.ndarray) -> list[tuple]:
    """Of the calls of an anomaly: the share kept, and the precision of the kept and of all."""
    flagged = np.stack([one.merged_called > 0 for one in judged]).astype(float)
    kept = flagged * np.stack([~one.abstains for one in judged])
    right = np.stack([one.merged_called == places for one in judged])

    def measure(weights: np.ndarray) -> np.ndarray:
        parts = [(kept, flagged), (kept * right, kept), (flagged * right, flagged)]
        return np.stack([_ratio(weights @ a.T, weights @ b.T) for a, b in parts], axis=2)

    names = ["coverage", "precision of the kept calls", "precision of all calls"]
    return [("abstention", names, measure, [int(flagged.sum() / len(judged))] * 3)]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)

"""Influence of the rows on the reference samples -> scores, a repaired label, mislabelled or anomaly.

Three parts that a caller may time for themselves: `influences`, `counterfactuals`, `combined`; or all at once.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata

from anomaly_mlflow.signals.influence_sums import SplitSums, class_sums, self_influence, split_sums
from anomaly_mlflow.signals.traces import Traces

__all__ = [
    "Counterfactuals",
    "InfluenceScores",
    "InfluenceSettings",
    "Influences",
    "characterise",
    "combined",
    "counterfactuals",
    "influence_scores",
    "influences",
]

LEAST = 1e-12
"""Added to the divisor of PCID, which vanishes for rows that were learnt perfectly."""


@dataclass(frozen=True)
class InfluenceSettings:
    """How the influence is computed: bias, cosine as in `influence_sums`; device: auto, cpu, cuda."""

    bias: bool = True
    cosine: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class Influences:
    """own: float64 (n,), self-influence; signed: float64 (n, C), sums over each class; split: the same by sign."""

    own: np.ndarray
    signed: np.ndarray
    split: SplitSums


@dataclass(frozen=True)
class Counterfactuals:
    """What the influence would be under another label.

    opposed: int64 (n,), the class that the row harms most (argmin NIL); second: int64 (n,), the class with the second
    largest PIL; under_opposed, under_second: the sums with these labels in place of the given ones.
    """

    opposed: np.ndarray
    second: np.ndarray
    under_opposed: SplitSums
    under_second: SplitSums


@dataclass(frozen=True)
class InfluenceScores:
    """float64 (n,) each, higher = more suspicious; repair_label: int64 (n,).

    I = influence of the row on a reference sample; J = all reference samples, J_y those of the given class.
    si: self-influence; mai: sum of |I|; mi: minus the sum of I; mpi: sum of the positive I;
    gd_class: -min over classes of the sum of I; nil: minus the sum of the negative I in J_y; nil_opt: the same in the
    class where it is largest; slip: minus the number of J_y with positive I; slin: the number with negative I;
    cnci: sum of the negative I in J_y under the label of the class that the row harms most, at most 0;
    repair_label: that class; pcid: 1 / (sum of the positive I * largest change of the positive I of a class under the
    class with the second largest); cfrank: the larger of the ranks by cnci and by pcid, 0 .. 1.
    By last-layer influence nil, slip and slin are constant where no embedding has a negative entry: e . e' is never
    negative for equal labels. Where the given class has no reference sample, the scores in J_y are the median
    of the other rows'.
    """

    si: np.ndarray
    mai: np.ndarray
    mi: np.ndarray
    mpi: np.ndarray
    gd_class: np.ndarray
    nil: np.ndarray
    nil_opt: np.ndarray
    slip: np.ndarray
    slin: np.ndarray
    cnci: np.ndarray
    repair_label: np.ndarray
    pcid: np.ndarray
    cfrank: np.ndarray


def influence_scores(
    traces: Traces, *, bias: bool = True, match_scale: bool = False, cosine: bool = False, device: str = "auto"
) -> InfluenceScores:
    """All scores. bias, cosine: see `influence_sums`; match_scale: see `counterfactuals`; device: auto, cpu, cuda."""
    found = influences(traces, bias=bias, cosine=cosine, device=device)
    other = counterfactuals(traces, found, bias=bias, match_scale=match_scale, cosine=cosine, device=device)
    return combined(traces, found, other)


def influences(traces: Traces, *, bias: bool = True, cosine: bool = False, device: str = "auto") -> Influences:
    """The influence of every row, summed over reference samples."""
    how = {"bias": bias, "cosine": cosine, "device": device}
    return Influences(self_influence(traces, **how), class_sums(traces, **how), split_sums(traces, **how)[0])


def counterfactuals(
    traces: Traces,
    found: Influences,
    *,
    bias: bool = True,
    match_scale: bool = False,
    cosine: bool = False,
    device: str = "auto",
) -> Counterfactuals:
    """The influence under two other labels of each row, chosen by the influence found.

    match_scale: over all saved states, as the influence found; else, as published, in the last one alone, so that PCID
    compares a sum over states with one of them. With it nothing changes for a row whose second class is its given
    label, and PCID is there as large as it can be.
    """
    opposed = found.split.negative.argmin(axis=1)
    second = np.argsort(-found.split.positive, axis=1, kind="stable")[:, 1]
    states = traces if match_scale else replace(traces, checkpoints=traces.checkpoints[-1:])
    under = split_sums(states, opposed, second, bias=bias, cosine=cosine, device=device)
    return Counterfactuals(opposed, second, *under)


def combined(traces: Traces, found: Influences, other: Counterfactuals) -> InfluenceScores:
    """The scores from the sums."""
    positive, negative = found.split.positive, found.split.negative
    helped = positive.sum(axis=1)
    cnci = _of_given(other.under_opposed.negative, traces)
    pcid = 1 / (helped * np.abs(positive - other.under_second.positive).max(axis=1) + LEAST)
    return InfluenceScores(
        si=found.own,
        mai=helped - negative.sum(axis=1),
        mi=-found.signed.sum(axis=1),
        mpi=helped,
        gd_class=-found.signed.min(axis=1),
        nil=np.abs(_of_given(negative, traces)),
        nil_opt=np.abs(negative).max(axis=1),
        slip=-_known(found.split.proponents.astype(np.float64), traces),
        slin=_known(found.split.opponents.astype(np.float64), traces),
        cnci=cnci,
        repair_label=other.opposed,
        pcid=pcid,
        cfrank=np.maximum(_ranks(cnci), _ranks(pcid)),
    )


def characterise(scores: InfluenceScores) -> np.ndarray:
    """bool (n,): a flagged row is mislabelled, by a rank by cnci at least that by pcid, and else an anomaly."""
    return _ranks(scores.cnci) >= _ranks(scores.pcid)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ascending, 0 .. 1; equal values share their mean rank."""
    return (rankdata(values) - 1) / max(len(values) - 1, 1)


def _of_given(sums: np.ndarray, traces: Traces) -> np.ndarray:
    return _known(np.take_along_axis(sums, traces.labels[:, None], axis=1)[:, 0], traces)


def _known(values: np.ndarray, traces: Traces) -> np.ndarray:
    """The values, but for rows whose class has no reference sample the median of the others."""
    known = np.isin(traces.labels, traces.reference_labels)
    return np.where(known, values, np.median(values[known]) if known.any() else 0.0)

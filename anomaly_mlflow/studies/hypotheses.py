"""H1, H2 and H3 put to the data."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import Interval, interval
from anomaly_mlflow.detection.table import join
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.studies.base import Arm, Claim, arms_of, overall
from anomaly_mlflow.studies.claims import CLAIMS
from anomaly_mlflow.studies.comparison import Comparison, compare
from anomaly_mlflow.studies.decisions import Resample, decide

__all__ = ["COLUMNS", "headline", "joined", "judge", "verdict_lines"]

COLUMNS = ["claim", "arm", "metric", "value", "low", "high", "n", "verdict"]
RATES = ("auroc", "precision", "recall", "f1")


def judge(
    features_list: Sequence[pd.DataFrame],
    ledger: pd.DataFrame,
    groups: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 2000,
    claims: Sequence[Claim] = CLAIMS,
) -> pd.DataFrame:
    """Verdicts on H1, H2 and H3, or on some of them, with all the numbers they rest on.

    features_list: one table per seed of the noisy model; groups: int64 (n,), in the order of the ledger, rows of one
    source share a number. Each arm is a logistic regression on its signals, scored on held-out rows
    (`detection.classifiers`); AUROC compares rows of the same fold alone (`detection.measures.auroc_of`).

    Columns: claim, arm, metric, value, low, high, n, verdict. Per claim three kinds of rows, in this order:
    its parts (metric `near_miss_vs_hard.auroc` or `.auroc_difference`; interval at the level of the part; verdict by
    `studies.decisions.decide`, empty for the comparison with the control arm, which has no vote), one that claims
    equivalence followed by the signal of its arm that tells the types apart best by itself (arm = its column);
    a description of each arm (`.auroc` where it is no part, `.precision`, `.recall`, `.f1` at probability .5; 95 %
    intervals; verdict empty);
    the claim whole (arm `all`, metric `verdict`, n = that of its smallest part).
    Means are over seeds, intervals over seeds and source groups. Geometry comes from the clean side, which is trained
    once for all seeds of the noisy model: the intervals of H1 do not contain the randomness of that training.
    The signals of each arm are listed in `studies.claims`; those that were not extracted are left out,
    and the parts that rest on them are undecided.
    A pair of types with too few rows, or one of them from a single group, is undecided with n = 0; with under five
    groups of either type the value stands, low and high are NaN, and the part is undecided.
    Raises Leakage and BadData as `join` and `matrix` do.
    """
    tables, resample = joined(features_list, ledger, groups), partial(interval, draws=draws, seed=seed)
    rows = [row for claim in claims for row in _claim_rows(claim, tables, np.asarray(groups), seed, resample)]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": np.int64})


def joined(features_list: Sequence[pd.DataFrame], ledger: pd.DataFrame, groups: np.ndarray) -> list[pd.DataFrame]:
    """Each feature table beside the ledger. Raises BadData where tables or groups are missing, and as `join` does."""
    if not len(features_list):
        raise BadData("no feature table given; extract the features of at least one noisy model")
    if len(groups) != len(ledger):
        raise BadData(f"{len(groups)} groups for {len(ledger)} ledger rows; give one group per row")
    return [join(frame, ledger) for frame in features_list]


def headline(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `judge` that carry a verdict or an AUROC; precision, recall and F1 left out."""
    return frame[(frame["verdict"] != "") | frame["metric"].str.contains("auroc")]


def verdict_lines(frame: pd.DataFrame) -> str:
    """The frame of `judge` as a text table for the terminal."""
    lines = [f"{'claim':<6}{'arm':<32}{'metric':<37}{'value':>6}  {'interval':<17}{'n':>6}  verdict"]
    for row in frame.itertuples():
        value = "" if np.isnan(row.value) else f"{row.value:.3f}"
        ends = "" if np.isnan(row.value) else _ends(row.low, row.high)
        verdict = str(row.verdict).upper() if row.metric == "verdict" else row.verdict
        lines.append(f"{row.claim:<6}{row.arm:<32}{row.metric:<37}{value:>6}  {ends:<17}{row.n:>6}  {verdict}".rstrip())
    return "\n".join(lines)


def _claim_rows(
    claim: Claim, tables: list[pd.DataFrame], groups: np.ndarray, seed: int, resample: Resample
) -> Iterator[tuple[Any, ...]]:
    arms = arms_of(claim)
    compared = {part.comparison: compare(tables, groups, part, arms[part.comparison], seed) for part in claim.parts}
    found = [decide(part, compared[part.comparison], resample) for part in claim.parts]
    sizes = [_size(compared[part.comparison]) for part in claim.parts]
    for part, decision, n in zip(claim.parts, found, sizes, strict=True):
        yield _row(claim, part.arm, part.metric, decision.interval, n, str(decision.verdict) if part.decides else "")
        if decision.farthest:
            yield _row(claim, decision.farthest, part.metric, decision.farthest_interval, n)
    for pair, comparison in compared.items():
        for arm in arms[pair]:
            for metric, ends in _description(claim, pair, arm, comparison, resample):
                yield _row(claim, arm.name, metric, ends, _size(comparison))
    deciding = [position for position, part in enumerate(claim.parts) if part.decides]
    whole = overall(found[position].verdict for position in deciding)
    yield _row(claim, "all", "verdict", None, min(sizes[position] for position in deciding), str(whole))


def _row(claim: Claim, arm: str, metric: str, ends: Interval | None, n: int, verdict: str = "") -> tuple[Any, ...]:
    ends = ends or Interval(np.nan, np.nan, np.nan)
    return claim.name, arm, metric, ends.value, ends.low, ends.high, n, verdict


def _ends(low: float, high: float) -> str:
    return "too few sources" if np.isnan(low) else f"[{low:.3f}, {high:.3f}]"


def _size(comparison: Comparison | None) -> int:
    return 0 if comparison is None else len(comparison.positive)


def _description(
    claim: Claim, pair: str, arm: Arm, comparison: Comparison | None, resample: Resample
) -> Iterator[tuple[str, Interval | None]]:
    """Metric and interval of one arm: AUROC where no part gives it, precision, recall, F1."""
    told = (pair, arm.name) in {(part.comparison, part.arm) for part in claim.parts}
    names = [f"{pair}.{name}" for name in RATES if not (told and name == "auroc")]
    if comparison is None:
        yield from ((name, None) for name in names)
        return
    measures = [comparison.rates(arm)] if told else [comparison.auroc((arm,)), comparison.rates(arm)]
    ends = [found for measure in measures for found in resample(measure, comparison.positive, comparison.groups)]
    yield from zip(names, ends, strict=True)

"""What the glitch study is to show, written down before the data is seen, and the verdict of each cell.

Supported where the whole 95 % interval lies where the statement says, refuted where it lies wholly beyond, undecided
otherwise: the rules of `studies.base`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from anomaly_mlflow.detection.statistics import Interval, exceeds
from anomaly_mlflow.studies.base import Verdict
from anomaly_mlflow.studies.glitch_table import KEYS, Summary

__all__ = ["PATTERN", "Statement", "judge_pattern"]

PUBLISHED = ("si", "mai", "mi", "gd_class")
"""The signals that the paper compares with."""

SINGLE = (*PUBLISHED, "cnci", "pcid", "final_loss")
NO_WORSE = -0.02
FAR_ABOVE = 0.3
ABOUT_CHANCE = 0.1


@dataclass(frozen=True)
class Statement:
    """One part of the pattern. measured: what is measured, in words; margin: the least value that supports it."""

    name: str
    title: str
    measured: str
    glitches: tuple[str, ...]
    margin: float
    measure: Callable[[Summary], Interval]


def judge_pattern(summaries: Sequence[Summary]) -> pd.DataFrame:
    """A row for each statement and cell that bears upon it: statement, KEYS, value, low, high, margin, verdict, seeds.

    Cells with wrong labels in the reference set are left out.
    """
    rows = []
    for statement in PATTERN:
        for one in summaries:
            if one.key["glitch"] in statement.glitches and not one.key["reference_noise"]:
                ends = statement.measure(one)
                rows.append(_row(statement, one, ends))
    return pd.DataFrame(rows, columns=["statement", *KEYS, "value", "low", "high", "margin", "verdict", "seeds"])


def _row(statement: Statement, one: Summary, ends: Interval) -> tuple:
    holds = exceeds(ends, statement.margin)
    verdict = {True: Verdict.SUPPORTED, False: Verdict.REFUTED, None: Verdict.UNDECIDED}[holds]
    values = (ends.value, ends.low, ends.high)
    return (statement.name, *one.key.values(), *values, statement.margin, str(verdict), one.seeds)


def _ahead(signal: str, others: Sequence[str]) -> Callable[[Summary], Interval]:
    return lambda one: one.difference(f"{signal}.f1_known", [f"{other}.f1_known" for other in others])


def _below_chance(one: Summary) -> Interval:
    """F1 of flagging as many rows at random less that of PCID: about 0 or above where it is blind."""
    ends, chance = one.interval("pcid.f1_known"), one.facts["chance"]
    return Interval(chance - ends.value, chance - ends.high, chance - ends.low)


PATTERN = (
    Statement(
        "P1",
        "On label noise CNCI is at least as good as self-influence",
        "F1 of CNCI less that of SI",
        ("uniform", "one_class", "each_class"),
        NO_WORSE,
        _ahead("cnci", ["si"]),
    ),
    Statement(
        "P2",
        "On anomalies that share one label PCID is far above all others",
        "F1 of PCID less the best F1 of SI, MAI, MI, GD-class, CNCI and the final loss",
        ("anomalies_one_label",),
        FAR_ABOVE,
        _ahead("pcid", [name for name in SINGLE if name != "pcid"]),
    ),
    Statement(
        "P3",
        "On anomalies with random labels PCID is blind",
        "F1 of flagging as many rows at random less that of PCID",
        ("anomalies_random_labels",),
        -ABOUT_CHANCE,
        _below_chance,
    ),
    Statement(
        "P4",
        "On wrong labels and anomalies mixed CFRank is the best",
        "F1 of CFRank less the best F1 of SI, MAI, MI, GD-class, CNCI, PCID and the final loss",
        ("mixed",),
        0.0,
        _ahead("cfrank", SINGLE),
    ),
)

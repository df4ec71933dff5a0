"""What the fusion study is to show, written down before the data is seen; and the report's figures beside ours.

Supported where the whole 95 % interval lies above the margin, refuted where it lies wholly below, undecided otherwise:
the rules of `studies.base`. A figure of the report is reproduced where our whole interval lies within five points of
it, not reproduced where it lies wholly outside, undecided otherwise (two one-sided tests, Schuirmann 1987) and on other
data than the report's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from anomaly_mlflow.detection.statistics import Interval, exceeds
from anomaly_mlflow.studies.base import Verdict
from anomaly_mlflow.studies.fusion_shares import OUTCOMES, CellResult, Pairs, less_metadata, shares
from anomaly_mlflow.studies.report_table import number, report_table

__all__ = ["REPORT", "STATEMENTS", "Statement", "fusion_report", "judge_claims"]

REPORT = {"metadata": 408 / 500, "visual": 56 / 500, "confused": 36 / 500}
"""Shares of 500 contradictory pairs: CIFAR-10, ResNet-18 and a metadata network, consistent pairs, one training."""

WITHIN = 0.05
HALF = 0.5


@dataclass(frozen=True)
class Statement:
    """One claim. factor: whose cells bear upon it, empty for the plain one; margin: what must be exceeded."""

    name: str
    title: str
    measured: str
    factor: str
    margin: float


_LOWER = "metadata share of the plain training less that of the other, pair by pair"
STATEMENTS = (
    Statement(
        "F1",
        "Trained on consistent pairs alone, the network follows the metadata",
        "share of contradictory pairs that are answered with the metadata's class",
        "",
        HALF,
    ),
    Statement("F2", "Modality dropout lowers the reliance on metadata", _LOWER, "modality_dropout", 0.0),
    Statement("F3", "Noise on the metadata embedding lowers it", _LOWER, "embedding_noise", 0.0),
    Statement("F4", "Inconsistent training pairs lower it", _LOWER, "consistent_share", 0.0),
    Statement("F5", "Noise in the metadata lowers it", _LOWER, "metadata_noise", 0.0),
)


def judge_claims(results: Sequence[CellResult], pairs: Pairs, *, draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    """A row for each claim and cell that bears upon it: claim, cell, value, low, high, margin, verdict, n, seeds.

    results: with the plain cell.
    """
    how = {"draws": draws, "seed": seed}
    plain, rows = _plain(results), []
    for statement in STATEMENTS:
        for one in results:
            if one.cell.factor == statement.factor:
                alone = not statement.factor
                ends = (
                    shares(one.outcome, pairs, **how)["metadata"]
                    if alone
                    else less_metadata(one.outcome, plain.outcome, pairs, **how)
                )
                rows.append(_row(statement, one, ends))
    return pd.DataFrame(rows, columns=["claim", "cell", "value", "low", "high", "margin", "verdict", "n", "seeds"])


def fusion_report(
    results: Sequence[CellResult], pairs: Pairs, setting: str, *, comparable: bool, draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """The report's figures beside those of our plain cell, as rows of `studies.report_table`.

    setting: data, model and epochs of ours, in words; comparable: whether the data are the report's.
    """
    found = shares(_plain(results).outcome, pairs, draws=draws, seed=seed)
    rows = []
    for name in OUTCOMES:
        ends, said = found[name], REPORT[name]
        told = [_distance(ends, said), _order(found), *_range(results, OUTCOMES.index(name))]
        how = f"{'; '.join(told)}; ours: {setting}; the report's: CIFAR-10, ResNet-18"
        figure, n = f"contradictory pairs answered with {_ANSWER[name]}", len(pairs.groups)
        rows.append(number(figure, said, ends, WITHIN, n, how, comparable=comparable))
    return report_table(rows)


_ANSWER = {"metadata": "the metadata's class", "visual": "the image's class", "confused": "neither class"}


def _plain(results: Sequence[CellResult]) -> CellResult:
    return next(one for one in results if not one.cell.factor)


def _range(results: Sequence[CellResult], outcome: int) -> list[str]:
    """How far the share moves with the settings of training, the controls left out."""
    fused = [100 * (one.outcome == outcome).mean() for one in results if one.cell.factor != "modalities"]
    return [f"{min(fused):.1f} to {max(fused):.1f} % over all our settings"] if len(fused) > 1 else []


def _row(statement: Statement, one: CellResult, ends: Interval) -> tuple:
    holds = exceeds(ends, statement.margin, strict=True)
    verdict = {True: Verdict.SUPPORTED, False: Verdict.REFUTED, None: Verdict.UNDECIDED}[holds]
    values = (ends.value, ends.low, ends.high, statement.margin, str(verdict))
    return (statement.name, one.cell.name, *values, one.outcome.shape[1], len(one.outcome))


def _distance(ends: Interval, said: float) -> str:
    points = 100 * (ends.value - said)
    return f"{abs(points):.1f} points {'above' if points > 0 else 'below'} the report's"


def _order(found: Mapping[str, Interval]) -> str:
    ours = sorted(OUTCOMES, key=lambda name: -found[name].value)
    theirs = sorted(OUTCOMES, key=lambda name: -REPORT[name])
    return "the three shares stand in the same order" if ours == theirs else f"the order is {', '.join(ours)}"

"""Which part of the pattern of the glitch study holds, in plain sentences."""

import pandas as pd

from anomaly_mlflow.report.verdict_words import HOLDS
from anomaly_mlflow.studies.base import Verdict
from anomaly_mlflow.studies.glitch_pattern import PATTERN, Statement

__all__ = ["characterisation_sentences", "pattern_lines", "pattern_paragraphs"]

COUNTED = {
    "characterisation": "of the errors that CFRank flags are called by their kind",
    "repair": "of the wrong labels that CNCI flags are repaired to the true one",
}


def pattern_lines(pattern: pd.DataFrame) -> list[str]:
    """A line for each statement and cell, for a terminal. pattern: as `judge_pattern` gives it."""
    return [
        f"{row.statement} {row.verdict:<10} {row.value:+.3f} [{row.low:+.3f}, {row.high:+.3f}]  "
        f"{row.dataset}, {row.model}, {row.glitch}, {100 * row.ratio:g} %"
        for row in pattern.itertuples()
    ]


def pattern_paragraphs(pattern: pd.DataFrame) -> list[str]:
    """A paragraph for each statement: what is measured, and what each cell says of it."""
    return [_paragraph(statement, pattern[pattern["statement"] == statement.name]) for statement in PATTERN]


def characterisation_sentences(counts: pd.DataFrame) -> list[str]:
    """A sentence for each share of the cells that were not ablated. counts: as `counts_table` gives it."""
    own = counts[counts["measure"].isin(list(COUNTED)) & (counts["reference_noise"] == 0) & (counts["of"] > 0)]
    return [
        f"{row.dataset}, {row.model}, {row.glitch} at {100 * row.ratio:g} %: {row.hits:,} of {row.of:,} "
        f"({100 * row.value:.1f} %, 95 % interval {100 * row.low:.1f} to {100 * row.high:.1f}) {COUNTED[row.measure]}."
        for row in own.itertuples()
        if row.measure == "repair" or row.glitch == "mixed"
    ]


def _paragraph(statement: Statement, own: pd.DataFrame) -> str:
    lead = f"{statement.name}, “{statement.title}” ({statement.measured}; supported from {statement.margin:+.2f} on)"
    if own.empty:
        return f"{lead}: none of the cells bears upon it."
    return f"{lead}: {'; '.join(_cell(row) for row in own.itertuples())}."


def _cell(row: tuple) -> str:
    where = f"{row.dataset}, {row.model}, {row.glitch} at {100 * row.ratio:g} %"
    ends = f"{row.value:+.3f}, 95 % interval {row.low:+.3f} to {row.high:+.3f}"
    return f"it {HOLDS[Verdict(row.verdict)]} on {where} ({ends}: {row.verdict})"

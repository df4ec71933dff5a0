"""What the fusion study says of each claim, in plain sentences."""

import pandas as pd

from anomaly_mlflow.report.verdict_words import HOLDS
from anomaly_mlflow.studies.base import Verdict
from anomaly_mlflow.studies.fusion_claims import STATEMENTS, Statement

__all__ = ["claim_lines", "claim_paragraphs", "share_sentence"]


def claim_lines(claims: pd.DataFrame) -> list[str]:
    """A line for each claim and cell, for a terminal. claims: as `judge_claims` gives it."""
    return [
        f"{row.claim} {row.verdict:<10} {row.value:+.3f} [{row.low:+.3f}, {row.high:+.3f}]  {row.cell}"
        for row in claims.itertuples()
    ]


def claim_paragraphs(claims: pd.DataFrame) -> list[str]:
    """A paragraph for each claim: what is measured, and what each cell says of it."""
    return [_paragraph(statement, claims[claims["claim"] == statement.name]) for statement in STATEMENTS]


def share_sentence(shares: pd.DataFrame) -> str:
    """What the plain training answers to contradictory pairs. shares: as `shares_table` gives it."""
    own = shares[shares["cell"] == "plain"].set_index("outcome")
    metadata, visual, confused = (
        f"{100 * one['value']:.1f} % (95 % interval {100 * one['low']:.1f} to {100 * one['high']:.1f})"
        for _, one in own.loc[["metadata", "visual", "confused"]].iterrows()
    )
    return (
        f"Trained on consistent pairs alone, the network answers {metadata} of {own['n'].iloc[0]} contradictory pairs"
        f" with the metadata's class, {visual} with the image's, {confused} with neither."
    )


def _paragraph(statement: Statement, own: pd.DataFrame) -> str:
    lead = f"{statement.name}, “{statement.title}” ({statement.measured}; supported above {statement.margin:.2f})"
    if own.empty:
        return f"{lead}: none of the cells bears upon it."
    return f"{lead}: {'; '.join(_cell(row) for row in own.itertuples())}."


def _cell(row: tuple) -> str:
    ends = f"{row.value:+.3f}, 95 % interval {row.low:+.3f} to {row.high:+.3f}"
    return f"{row.cell}: it {HOLDS[Verdict(row.verdict)]} ({ends}: {row.verdict})"

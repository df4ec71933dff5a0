"""The report's figures beside ours, as a section and a sentence."""

import pandas as pd

from anomaly_mlflow.report.page import Section

__all__ = ["beside_lines", "beside_section", "counts_sentence"]

RULES = (
    "A number of the report is reproduced (yes) where our whole 95 % interval lies within a tolerance around it that"
    " was fixed beforehand, not (no) where it lies wholly outside, else undecided; so too where our data are not"
    " CIFAR-10. A direction is reproduced where our whole interval lies above the bound that the last column names."
)


def beside_section(beside: pd.DataFrame) -> Section:
    """beside: as `studies.report_table` gives it."""
    return Section("The report's figure beside ours", [RULES], table=beside)


def counts_sentence(beside: pd.DataFrame) -> str:
    """How many of the report's figures and directions are reproduced."""
    counts = beside["verdict"].value_counts()
    yes, no, open_ = (int(counts.get(verdict, 0)) for verdict in ("yes", "no", "undecided"))
    return f"Of {len(beside)} figures and directions of the report, {yes} are reproduced, {no} not, {open_} undecided."


def beside_lines(beside: pd.DataFrame) -> str:
    """A line for each figure, for a terminal."""
    return "\n".join(
        f"{row.verdict:<10} {row.ours:+.3f} [{row.low:+.3f}, {row.high:+.3f}]  {row.figure} ({row.why})"
        for row in beside.itertuples()
    )

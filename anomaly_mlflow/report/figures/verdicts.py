"""Intervals against the margins that were fixed beforehand."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import GRID, INK, new_figure, tidy
from anomaly_mlflow.report.palette import NAMES, VERDICT_COLORS
from anomaly_mlflow.studies.base import Part, Rule, Verdict
from anomaly_mlflow.studies.claims import find_part

__all__ = ["verdict_plot"]

Row = tuple[Part, pd.Series]


def verdict_plot(frame: pd.DataFrame) -> Figure:
    """The frame of `judge` as intervals; the shaded region is where the whole interval must lie to support its part."""
    found = [(find_part(row["claim"], row["arm"], row["metric"]), row) for _, row in frame.iterrows()]
    judged = [(part, row) for part, row in found if part is not None]
    single = [entry for entry in judged if len(entry[0].arms) == 1]
    paired = [entry for entry in judged if len(entry[0].arms) == 2]
    figure = new_figure(8.6, 0.42 * len(judged) + 1.6)
    upper, lower = figure.subplots(2, 1, height_ratios=[max(1, len(single)) + 0.6, max(1, len(paired)) + 0.6])
    _draw(upper, single, 0.5, "AUROC (.5 = coin toss)", (0.3, 1.0))
    _draw(lower, paired, 0.0, "Difference of AUROC", (-0.1, 0.2))
    return figure


def _draw(axes: Axes, rows: list[Row], chance: float, title: str, least: tuple[float, float]) -> None:
    ends = [value for _, row in rows for value in row[["low", "value", "high"]] if not np.isnan(value)]
    low, high = min([least[0], *ends]) - 0.02, max([least[1], *ends]) + 0.02
    for height, (part, row) in enumerate(rows):
        start, stop = part.margin if part.rule is Rule.WITHIN else (part.margin[0], high)
        axes.fill_betweenx([height - 0.36, height + 0.36], start, stop, color="#1a7f4b", alpha=0.13, linewidth=0)
        _interval(axes, row, height, low)
    axes.axvline(chance, color="#9aa1a9", linewidth=1, linestyle=(0, (3, 3)))
    tidy(axes, title, grid="x")
    axes.set(xlim=(low, high), ylim=(len(rows) - 0.4, -0.6))
    axes.set_yticks(range(len(rows)), [_label(part, row) for part, row in rows])


def _interval(axes: Axes, row: pd.Series, height: int, left: float) -> None:
    if np.isnan(row["value"]):
        axes.text(left, height, "  too few rows or sources", va="center", fontsize=8, color=INK)
        return
    if np.isnan(row["low"]):
        axes.text(left, height, "  too few independent sources", va="center", fontsize=8, color=INK)
    known = isinstance(row["verdict"], str) and row["verdict"]
    color = VERDICT_COLORS[Verdict(row["verdict"])] if known else INK
    axes.plot([row["low"], row["high"]], [height, height], color=color, linewidth=3, solid_capstyle="round")
    axes.plot(row["value"], height, "o", color="white", markeredgecolor=color, markeredgewidth=1.8, markersize=7)
    axes.axhline(height + 0.5, color=GRID, linewidth=0.6)


def _label(part: Part, row: pd.Series) -> str:
    beside = "" if part.decides else " (no vote)"
    return f"{row['claim']}  {part.arm}: {NAMES[part.positives]} vs {NAMES[part.negatives]}{beside}"

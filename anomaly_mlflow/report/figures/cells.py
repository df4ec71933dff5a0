"""A claim over all cells: forest plots."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import GRID, INK, new_figure, tidy
from anomaly_mlflow.report.cell_words import part_row
from anomaly_mlflow.report.palette import NAMES, VERDICT_COLORS
from anomaly_mlflow.studies.base import Claim, Part, Rule, Verdict

__all__ = ["cells_plot"]

Row = tuple[str, pd.Series | None]  # what stands there where nothing was judged, and what was


def cells_plot(frame: pd.DataFrame, claim: Claim) -> Figure:
    """One panel for each part of a claim, one line for each cell; the shaded region is where the interval must lie.

    frame: as `studies.cell_table.all_rows` gives it. Cells that do not bear upon the claim are left out.
    """
    own = frame[frame["claim"] == claim.name]
    states = own.drop_duplicates("cell").set_index("cell")["state"]
    figure = new_figure(3.1 * len(claim.parts) + 2.6, 0.3 * len(states) + 1.3)
    panels = figure.subplots(1, len(claim.parts), sharey=True, squeeze=False)[0]
    for axes, part in zip(panels, claim.parts, strict=True):
        _draw(axes, part, [(state, part_row(own, cell, claim, part)) for cell, state in states.items()])
    panels[0].set(ylim=(len(states) - 0.4, -0.6))
    panels[0].set_yticks(range(len(states)), list(states.index), parse_math=False)
    return figure


def _draw(axes: Axes, part: Part, rows: list[Row]) -> None:
    low, high = _limits(part, rows)
    start, stop = part.margin if part.rule is Rule.WITHIN else (part.margin[0], high)
    axes.axvspan(start, stop, color="#1a7f4b", alpha=0.13, linewidth=0)
    axes.axvline(0.5 if len(part.arms) == 1 else 0.0, color="#9aa1a9", linewidth=1, linestyle=(0, (3, 3)))
    for height, (state, row) in enumerate(rows):
        axes.axhline(height + 0.5, color=GRID, linewidth=0.6)
        if row is None or np.isnan(row["value"]):
            text = state if row is None else "too few rows or sources"
            axes.text(low, height, f" {text}", va="center", fontsize=7, color=INK)
        else:
            _interval(axes, row, height)
    beside = "" if part.decides else ", no vote"
    tidy(axes, f"{NAMES[part.positives]} vs {NAMES[part.negatives]}{beside}", grid="x")
    axes.set_xlabel(f"AUROC, {part.arm}" if len(part.arms) == 1 else f"difference of AUROC, {part.arm}")
    axes.set_xlim(low, high)


def _limits(part: Part, rows: list[Row]) -> tuple[float, float]:
    least = (0.4, 1.0) if len(part.arms) == 1 else (-0.05, 0.15)
    ends = [float(row[name]) for _, row in rows if row is not None for name in ("low", "value", "high")]
    known = [value for value in ends if not np.isnan(value)]
    return min([*known, *part.margin, least[0]]) - 0.02, max([*known, *part.margin, least[1]]) + 0.02


def _interval(axes: Axes, row: pd.Series, height: int) -> None:
    color = VERDICT_COLORS[Verdict(row["verdict"])] if row["verdict"] else INK
    if not np.isnan(row["low"]):
        axes.plot([row["low"], row["high"]], [height, height], color=color, linewidth=3, solid_capstyle="round")
    axes.plot(row["value"], height, "o", color="white", markeredgecolor=color, markeredgewidth=1.6, markersize=6)

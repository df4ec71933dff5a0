"""The look that all figures share."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.anomalies.types import AnomalyType

__all__ = ["GRID", "INK", "new_figure", "present", "short", "tidy"]

INK, GRID = "#3d444d", "#e4e7eb"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def tidy(axes: Axes, title: str = "", grid: str | None = "y") -> Axes:
    """Take off what carries no data."""
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.xaxis.label.set(size=8.5, color=INK)
    axes.yaxis.label.set(size=8.5, color=INK)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)
    # Names come from folders: a `$` in them is no formula.
    axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold", color=INK, parse_math=False)
    return axes


def present(types: Sequence[str] | np.ndarray) -> list[AnomalyType]:
    """The types that occur, in the order in which tables list them."""
    found = {str(name) for name in types}
    return [kind for kind in AnomalyType if str(kind) in found]


def short(text: str, length: int = 14) -> str:
    """The text, cut where it is too long for its place."""
    return text if len(text) <= length else text[: length - 1] + "…"

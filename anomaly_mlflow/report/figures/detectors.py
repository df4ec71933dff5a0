"""Detectors beside one another, and how they get better with more labelled anomalies."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import INK, new_figure, tidy

__all__ = ["detector_plot", "learning_curve_plot"]

# Okabe and Ito (2008), told apart also by colour-blind readers.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a828c", "#000000")
WORDS = {"auroc": "AUROC", "f1": "F1", "average_precision": "average precision"}


def detector_plot(board: pd.DataFrame, measure: str = "auroc") -> Figure:
    """The frame of `scoreboard` for one measure: a panel a task, a line a detector, a colour a set of signals.

    Bars are 95 % intervals.
    """
    board = board[board["measure"] == measure]
    tasks, detectors = board["task"].unique(), list(board["detector"].unique())
    figure = new_figure(9, 0.45 * len(detectors) * ((len(tasks) + 1) // 2) + 1.6)
    panels = figure.subplots((len(tasks) + 1) // 2, min(2, len(tasks)), squeeze=False).ravel()
    for axes, task in zip(panels, tasks, strict=False):
        _panel(axes, board[board["task"] == task], detectors)
        tidy(axes, f"{_said(task)}: {WORDS.get(measure, measure)}", grid="x")
    for axes in panels[len(tasks) :]:
        axes.set_axis_off()
    _legend(figure, panels[0])
    return figure


def learning_curve_plot(curves: pd.DataFrame) -> Figure:
    """The frame of `learning_curves`: a row a task, AUROC and F1 side by side, bands are 95 % intervals."""
    tasks = list(curves["task"].unique())
    figure = new_figure(9, 2.5 * max(1, len(tasks)) + 0.6)
    panels = figure.subplots(max(1, len(tasks)), 2, squeeze=False)
    for line, task in zip(panels, tasks, strict=False):
        for axes, measure in zip(line, ("auroc", "f1"), strict=True):
            _curves(axes, curves[(curves["task"] == task) & (curves["measure"] == measure)])
            tidy(axes, f"{_said(task)}: {WORDS[measure]}").set_xlabel("labelled anomalies")
    _legend(figure, panels[0, 0])
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, detectors: Sequence[str]) -> None:
    arms = list(rows["arm"].unique())
    for position, arm in enumerate(arms):
        own = rows[rows["arm"] == arm]
        heights = np.array([detectors.index(name) for name in own["detector"]]) + 0.16 * (position - len(arms) / 2)
        color = SERIES[position % len(SERIES)]
        axes.hlines(heights, own["low"], own["high"], color=color, linewidth=1.6, alpha=0.7)
        axes.plot(own["value"], heights, "o", color=color, markersize=4, label=arm)
    axes.set_yticks(range(len(detectors)), [_said(name) for name in detectors])
    axes.invert_yaxis()


def _curves(axes: Axes, rows: pd.DataFrame) -> None:
    for position, name in enumerate(rows["detector"].unique()):
        own, color = rows[rows["detector"] == name], SERIES[position % len(SERIES)]
        axes.fill_between(own["anomalies"], own["low"], own["high"], color=color, alpha=0.12, linewidth=0)
        axes.plot(own["anomalies"], own["value"], "o-", color=color, markersize=3, linewidth=1.4, label=_said(name))
    if len(rows):
        axes.set_xscale("log")
        sizes = sorted(rows["anomalies"].unique())
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=8.5, labelcolor=INK)


def _said(name: str) -> str:
    return name.replace("_", " ")

"""The budget planner: accuracy over number and quality of labels, and what each unit of cost buys."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.report.canvas import GRID, INK, new_figure, tidy

__all__ = ["budget_figure"]

# Okabe and Ito (2008).
REGIMES = {
    "quantity": ("#0072b2", "next: more labels"),
    "quality": ("#d55e00", "next: better labels"),
    "mixed": ("#009e73", "next: more and better labels"),
    "": (INK, "end of the frontier"),
}


def budget_figure(grid: AccuracyGrid, table: pd.DataFrame) -> Figure:
    """Left the accuracy of every place, those of the frontier framed; right accuracy over cost, bars are 95 %.

    table: as `frontier` gives it for the grid.
    """
    figure = new_figure(9.4, 0.42 * len(grid.rates) + 2.6)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _heat(left, grid, table)
    _costs(right, table)
    handles, labels = right.get_legend_handles_labels()
    place = "outside lower center"
    figure.legend(handles, labels, loc=place, ncols=4, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def _heat(axes: Axes, grid: AccuracyGrid, table: pd.DataFrame) -> None:
    values = grid.accuracy.mean(axis=0).T
    tidy(axes, "Accuracy by number of labels and share of wrong ones", grid=None)
    image = axes.imshow(values, cmap="YlGnBu", aspect="auto", origin="lower")
    middle = (values.min() + values.max()) / 2
    for (row, column), value in np.ndenumerate(values):
        color = "white" if value > middle else INK
        axes.text(column, row, f"{value:.3f}".lstrip("0"), ha="center", va="center", fontsize=7.5, color=color)
    for place in table[table["best"]].itertuples():
        corner = (np.searchsorted(grid.sizes, place.labels) - 0.5, np.searchsorted(grid.rates, place.rate) - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="#d55e00", linewidth=2))
    axes.set_xticks(range(len(grid.sizes)), [f"{size:,}" for size in grid.sizes])
    axes.set_yticks(range(len(grid.rates)), [f"{100 * rate:.3g} %" for rate in grid.rates])
    axes.set(xlabel="labels", ylabel="wrong labels")
    axes.figure.colorbar(image, ax=axes, shrink=0.8).outline.set_visible(False)


def _costs(axes: Axes, table: pd.DataFrame) -> None:
    scale = "log" if (table["cost"] > 0).all() else "linear"
    tidy(axes, "What the cost buys: the frontier").set(xlabel="cost", ylabel="accuracy", xscale=scale)
    axes.margins(x=0.06)
    off, best = table[~table["best"]], table[table["best"]]
    axes.plot(off["cost"], off["accuracy"], "o", color=GRID, markersize=4)
    axes.plot(best["cost"], best["accuracy"], color=INK, linewidth=1, alpha=0.5)
    for regime, (color, words) in REGIMES.items():
        own = best[best["regime"] == regime]
        if len(own):
            axes.vlines(own["cost"], own["low"], own["high"], color=color, linewidth=1.6, alpha=0.6)
            axes.plot(own["cost"], own["accuracy"], "o", color=color, markersize=5, label=words)

"""Which source a fused network follows: stacked shares of each cell, and shares over each factor."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import INK, new_figure, tidy
from anomaly_mlflow.studies.fusion_grid import FACTORS, PLAIN

__all__ = ["factor_curves", "share_bars"]

# Okabe and Ito (2008), told apart also by colour-blind readers.
COLORS = {"metadata": "#d55e00", "visual": "#0072b2", "confused": "#bcc2c9"}
NAMES = {"metadata": "metadata's class", "visual": "image's class", "confused": "neither"}
WORDS = {
    "consistent_share": "share of consistent training pairs",
    "metadata_noise": "noise in the metadata",
    "modality_dropout": "modality dropout",
    "embedding_noise": "noise on the metadata embedding, deviations",
    "metadata_scale": "scale of the metadata embedding",
}


def share_bars(table: pd.DataFrame) -> Figure:
    """A stacked bar of the three shares for each cell; table: as `shares_table` gives it.

    Lines: 95 % intervals of the first share, at its end, and of the last, at its beginning.
    """
    cells = table["cell"].unique()
    figure = new_figure(7.6, 0.36 * len(cells) + 1.4)
    axes, left = tidy(figure.subplots(), "Answers to contradictory pairs", grid="x"), np.zeros(len(cells))
    for outcome, color in COLORS.items():
        own = table[table["outcome"] == outcome]
        axes.barh(range(len(cells)), own["value"], left=left, color=color, label=NAMES[outcome], height=0.66)
        left += own["value"].to_numpy()
    for outcome, turned, shift in (("metadata", False, -0.12), ("confused", True, 0.12)):
        own = table[table["outcome"] == outcome]
        ends = (1 - own["high"], 1 - own["low"]) if turned else (own["low"], own["high"])
        axes.hlines(np.arange(len(cells)) + shift, *ends, color=INK, linewidth=1.3)
    axes.set_yticks(range(len(cells)), cells, parse_math=False)
    axes.set(xlim=(0, 1), ylim=(len(cells) - 0.5, -0.5))
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def factor_curves(table: pd.DataFrame) -> Figure | None:
    """The three shares over each factor's levels, the plain training among them; None where no factor has another."""
    factors = [name for name in FACTORS if (table["factor"] == name).any()]
    if not factors:
        return None
    columns = min(2, len(factors))
    figure = new_figure(4.0 * columns, 2.7 * math.ceil(len(factors) / columns) + 0.4)
    panels = list(figure.subplots(math.ceil(len(factors) / columns), columns, sharey=True, squeeze=False).ravel())
    for spare in panels[len(factors) :]:
        spare.set_axis_off()
    for axes, factor in zip(panels, factors, strict=False):
        _curves(axes, table, factor)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def _curves(axes: Axes, table: pd.DataFrame, factor: str) -> None:
    tidy(axes, WORDS[factor], grid="both").set_ylim(-0.03, 1.03)
    own = pd.concat([table[table["cell"] == "plain"].assign(level=PLAIN[factor]), table[table["factor"] == factor]])
    for outcome, color in COLORS.items():
        line = own[own["outcome"] == outcome].sort_values("level")
        axes.plot(line["level"], line["value"], "o-", color=color, markersize=3.5, label=NAMES[outcome])
        axes.vlines(line["level"], line["low"], line["high"], color=color, alpha=0.6)

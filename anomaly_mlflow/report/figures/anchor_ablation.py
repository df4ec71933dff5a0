"""What each changed setting of anchor hallucination does, beside its default."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from anomaly_mlflow.report.canvas import INK, new_figure, tidy

__all__ = ["ablation_dots"]

# Okabe and Ito (2008).
COLORS = {"anchors_linear": "#0072b2", "anchors_learned": "#d55e00"}
BESIDE = 0.16
"""Half the distance of the two kinds of anchors on a line, in lines."""


def ablation_dots(table: pd.DataFrame) -> Figure:
    """A panel for each noise (rows) and measure (columns): differences to the default with 95 % intervals.

    table: as `ablation_table` gives it, not empty; a line for each setting, a colour for each kind of anchors.
    """
    noises, measures = (list(dict.fromkeys(table[name])) for name in ("noise", "measure"))
    lines = list(dict.fromkeys(_words(table)))[::-1]
    figure = new_figure(2.3 * len(measures) + 1.6, (0.24 * len(lines) + 0.7) * len(noises) + 0.4)
    panels = figure.subplots(len(noises), len(measures), squeeze=False, sharey=True)
    for of_noise, noise in zip(panels, noises, strict=True):
        for axes, measure in zip(of_noise, measures, strict=True):
            own = table[(table["noise"] == noise) & (table["measure"] == measure)]
            _panel(axes, own, lines)
            tidy(axes, noise if axes is of_noise[0] else "", grid="x").set_xlabel(measure.replace("_", " "))
            axes.locator_params(axis="x", nbins=4)
    panels[0][0].set_yticks(range(len(lines)), lines)
    dots = [Line2D([], [], marker="o", color=color, label=kind) for kind, color in COLORS.items()]
    figure.legend(handles=dots, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure


def _panel(axes: Axes, own: pd.DataFrame, lines: list[str]) -> None:
    axes.axvline(0, color=INK, linewidth=0.8)
    for row, words in zip(own.itertuples(), _words(own), strict=True):
        place = lines.index(words) + (BESIDE if row.cleaner == "anchors_linear" else -BESIDE)
        ends = np.nan_to_num([[row.difference - row.low], [row.high - row.difference]]).clip(min=0)
        axes.errorbar(row.difference, place, xerr=ends, fmt="o", color=COLORS[row.cleaner], ms=4)


def _words(table: pd.DataFrame) -> list[str]:
    return list(table["setting"] + " = " + table["value_of_setting"])

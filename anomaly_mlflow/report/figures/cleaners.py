"""How well each cleaner finds wrong labels, noise by noise."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import INK, new_figure, tidy

__all__ = ["cleaner_bars"]

# Okabe and Ito (2008).
COLORS = {"training": "#d55e00", "folds": "#0072b2", "embedding": "#009e73", "reference": "#cc79a7"}


def cleaner_bars(table: pd.DataFrame, measure: str = "average_precision") -> Figure:
    """A panel for each noise, a line for each cleaner with its 95 % interval, coloured by mechanism.

    table: as `cleaners_table` gives it. A noise without wrong labels has no panel.
    """
    own = table[(table["measure"] == measure) & table["value"].notna()]
    noises = list(dict.fromkeys(own["noise"]))
    names = list(own.groupby("cleaner")["value"].mean().sort_values().index)
    figure = new_figure(3.0 * max(1, len(noises)) + 1.6, 0.24 * len(names) + 1.0)
    panels = figure.subplots(1, max(1, len(noises)), squeeze=False, sharey=True)[0]
    for axes, noise in zip(panels, noises, strict=False):
        for row in own[own["noise"] == noise].itertuples():
            ends = np.nan_to_num([[row.value - row.low], [row.high - row.value]]).clip(min=0)
            axes.errorbar(row.value, names.index(row.cleaner), xerr=ends, fmt="o", color=COLORS[row.mechanism], ms=4)
        tidy(axes, noise, grid="x").set_xlabel(measure.replace("_", " "))
        axes.axvline(own.loc[own["noise"] == noise, "rate"].iloc[0], color=INK, linewidth=0.8, linestyle=(0, (2, 3)))
    panels[0].set_yticks(range(len(names)), names)
    return figure

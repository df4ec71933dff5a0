"""How many labels a repair leaves wrong, by how sure its witnesses must be."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from anomaly_mlflow.report.canvas import INK, new_figure, tidy

__all__ = ["wrong_labels"]

BEFORE = "#999999"
LINES = {  # Okabe and Ito (2008)
    "wrong_after": ("after the repair", "#0072b2"),
    "wrong_certain": ("the same, of those not set aside", "#d55e00"),
}


def wrong_labels(table: pd.DataFrame) -> Figure:
    """A panel for each noise: share of wrong labels after the repair, of all and of those not set aside, and before it.

    table: as `repair_curve` gives it. Shaded: 95 %; a line at the confidence that was asked for.
    """
    noises = list(dict.fromkeys(table["noise"]))
    figure = new_figure(2.6 * len(noises) + 0.8, 2.7)
    for axes, noise in zip(figure.subplots(1, len(noises), squeeze=False, sharey=True)[0], noises, strict=True):
        own = table[table["noise"] == noise]
        x = own["repair_confidence"]
        axes.axhline(own["wrong_before"].iloc[0], color=BEFORE, linewidth=1.6, label="as given")
        for name, (words, color) in LINES.items():
            axes.plot(x, own[name], "o-", color=color, markersize=3.5, label=words)
            axes.fill_between(x, own[f"{name}_low"], own[f"{name}_high"], color=color, alpha=0.2, linewidth=0)
        for one in own.loc[own["chosen"], "repair_confidence"]:
            axes.axvline(one, color=INK, linewidth=0.8, linestyle=(0, (2, 3)))
        tidy(axes, noise).set_xlabel("repair confidence")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.axes[0].set_ylabel("wrong labels")
    figure.axes[0].legend(frameon=False, fontsize=8, loc="lower left")
    return figure

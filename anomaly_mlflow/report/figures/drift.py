"""What a model says of a batch of images, beside what it says of the reference."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.detection.drift import Drift
from anomaly_mlflow.report.canvas import INK, new_figure, tidy

__all__ = ["WORDS", "drift_plot"]

WORDS = {
    "energy": "score: free energy",
    "confidence": "confidence: 1 - max p",
    "entropy": "entropy / ln C",
}
BINS, OUTER = 40, 0.005
"""Bins between the quantiles OUTER and 1 - OUTER of both together; what lies beyond stands in the outer bins."""

QUIET, LOUD, KNOWN = "#0072b2", "#d55e00", "#bcc2c9"


def drift_plot(found: Drift, name: str) -> Figure:
    """A panel for each category: density of reference (grey) and batch (orange where the category is triggered).

    Of the embedding, the component with the smallest adjusted p value is shown.
    """
    shown = found.tests.loc[found.tests.groupby("category", sort=False)["adjusted_p"].idxmin()]
    figure = new_figure(2.6 * len(shown), 2.6)
    panels = figure.subplots(1, len(shown), squeeze=False).ravel()
    for axes, row in zip(panels, shown.itertuples(), strict=True):
        color = LOUD if row.category in found.triggered else QUIET
        _densities(axes, found.reference[row.quantity], found.batch[row.quantity], color)
        title = WORDS.get(row.quantity, f"embedding: {row.quantity.replace('_', ' ')}")
        tidy(axes, title, grid=None).title.set_fontsize(8.5)
        axes.set_xlabel(f"{row.statistic} {row.value:.3g}, adjusted p {row.adjusted_p:.2g}")
        axes.set_yticks([])
        axes.ticklabel_format(axis="x", useOffset=False)
        axes.locator_params(axis="x", nbins=3)
    panels[0].legend(frameon=False, fontsize=7.5, labelcolor=INK)
    figure.suptitle(name, fontsize=9.5, color=INK, parse_math=False)
    return figure


def _densities(axes: Axes, known: pd.Series, new: pd.Series, color: str) -> None:
    low, high = np.quantile(np.concatenate([known, new]), [OUTER, 1 - OUTER])
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    axes.hist(known.clip(low, high), edges, density=True, color=KNOWN, label=f"reference ({len(known):,})")
    style = {"histtype": "step", "color": color, "linewidth": 1.4}
    axes.hist(new.clip(low, high), edges, density=True, label=f"batch ({len(new):,})", **style)

"""What single signals see."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.detection.table import join
from anomaly_mlflow.report.figures.canvas import INK, new_figure, present, tidy
from anomaly_mlflow.report.palette import COLORS, NAMES

__all__ = ["auroc_heatmap", "distributions"]

COLUMNS = 4


def distributions(features: Sequence[pd.DataFrame], ledger: pd.DataFrame, columns: Sequence[str]) -> Figure:
    """Box plots of these signals by type: median, middle half, whiskers over the middle 90 %; all seeds together."""
    table = pd.concat([join(frame, ledger) for frame in features])
    kinds = present(table["anomaly_type"].unique())[::-1]
    rows = max(1, -(-len(columns) // COLUMNS))
    figure = new_figure(2.6 * COLUMNS, (0.27 * len(kinds) + 0.6) * rows)
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True)
    for panel in panels.flat[len(columns) :]:
        panel.set_visible(False)
    for panel, column in zip(panels.flat, columns, strict=False):
        _boxes(panel, [table.loc[table["anomaly_type"] == kind, column].to_numpy() for kind in kinds], kinds)
        tidy(panel, column, grid="x")
        panel.title.set_fontsize(8.5)
    return figure


def auroc_heatmap(table: pd.DataFrame) -> Figure:
    """AUROC of every signal (rows) for every type (columns) against clean; .5 is white, below it the signal is upside
    down, a dash where the type is absent."""
    figure = new_figure(6.2, 0.26 * len(table) + 0.8)
    axes = figure.subplots()
    axes.imshow(table.to_numpy(), cmap="PuOr_r", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        text = "–" if np.isnan(value) else f"{value:.2f}"
        color = "white" if abs(value - 0.5) > 0.36 else INK
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
    tidy(axes, grid=None)
    axes.set_xticks(range(table.shape[1]), [NAMES.get(name, name) for name in table.columns])
    axes.set_yticks(range(len(table)), table.index)
    axes.xaxis.tick_top()
    return figure


def _boxes(axes: Axes, samples: list[np.ndarray], kinds: list) -> None:
    drawn = axes.boxplot(
        samples, orientation="horizontal", widths=0.62, whis=(5, 95), showfliers=False, patch_artist=True
    )
    for box, median, kind in zip(drawn["boxes"], drawn["medians"], kinds, strict=True):
        box.set(facecolor=COLORS[kind], alpha=0.75, edgecolor="none")
        median.set(color="white", linewidth=1.6)
    for line in (*drawn["whiskers"], *drawn["caps"]):
        line.set(color="#9aa1a9", linewidth=0.9)
    axes.set_yticks(range(1, len(kinds) + 1), [NAMES[kind] for kind in kinds])

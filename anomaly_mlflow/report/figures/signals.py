"""What single signals see."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.detection.table import join
from anomaly_mlflow.report.canvas import new_figure, present, tidy
from anomaly_mlflow.report.palette import COLORS, NAMES

__all__ = ["distributions"]

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

"""A look at what was injected."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.report.canvas import INK, new_figure, present, short
from anomaly_mlflow.report.examples import examples, label_name
from anomaly_mlflow.report.palette import COLORS, NAMES

__all__ = ["preview_grid"]


def preview_grid(samples: Samples, ledger: pd.DataFrame, *, per_type: int = 10, seed: int = 0) -> Figure:
    """Some samples of every type, one row each; above a picture its true label, then the given one where they differ.

    Raises BadData where a sample of the ledger is missing.
    """
    kinds = present(ledger["anomaly_type"].unique())
    figure = new_figure(0.92 * per_type + 1, 1.18 * len(kinds))
    panels = figure.subplots(len(kinds), per_type, squeeze=False)
    for line, kind in zip(panels, kinds, strict=True):
        line[0].text(-0.2, 0.5, NAMES[kind], transform=line[0].transAxes, ha="right", va="center", color=COLORS[kind])
        chosen = examples(samples, ledger, kind, per_type, seed)
        for panel, (row, entry) in zip(line, chosen, strict=False):
            _picture(panel, samples.images[row], _caption(samples, entry))
        for panel in line:
            panel.set_axis_off()
    return figure


def _picture(axes: Axes, image: np.ndarray, caption: str) -> None:
    axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(caption, fontsize=5.8, color=INK, pad=2, parse_math=False)


def _caption(samples: Samples, entry: pd.Series) -> str:
    true, given = (short(label_name(samples, entry[column]), 9) for column in ("true_label", "given_label"))
    return given if entry["true_label"] == entry["given_label"] else f"{true} → {given}"

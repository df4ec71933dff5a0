"""What cleaning changed: embeddings before and after, which class became which, pictures, and what it gained."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.report.canvas import GRID, INK, new_figure, short, tidy

__all__ = ["embedding_maps", "gain_bars", "repair_confusion", "repaired_pictures"]

# Okabe and Ito (2008), then the rest of tab20: more classes share colours.
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7a828c", "#9467bd", "#8c564b")
PERPLEXITY, STEPS = 30, 500
NAMED = 20
"""Classes at most whose counts are written into the cells."""


def embedding_maps(
    before: np.ndarray, after: np.ndarray, given: np.ndarray, repaired: np.ndarray, changed: np.ndarray, seed: int = 0
) -> Figure:
    """Two maps of the same images (t-SNE: van der Maaten and Hinton 2008), coloured by label; rings: repaired ones.

    before, after: float (n, d), of a model trained on the given and on the repaired labels; given, repaired: int64
    (n,), their labels; changed: bool (n,). Distances between clusters mean nothing in such a map.
    """
    figure = new_figure(9.4, 4.4)
    titles = ("Trained on the labels as given", "Trained on the repaired labels")
    for axes, title, rows, labels in zip(
        figure.subplots(1, 2), titles, (before, after), (given, repaired), strict=True
    ):
        place = _map(rows, seed)
        axes.scatter(*place.T, s=5, c=[COLORS[label % len(COLORS)] for label in labels], linewidths=0)
        axes.scatter(*place[changed].T, s=26, facecolors="none", edgecolors=INK, linewidths=0.6)
        tidy(axes, title, grid=None).set(xticks=[], yticks=[])
    return figure


def repair_confusion(frame: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """How many repaired labels went from which class (rows) to which (columns); frame: as `repairs` gives it."""
    own = frame[frame["repaired"]]
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (own["given"].to_numpy(), own["suggested"].to_numpy()), 1)
    side = min(9.0, 0.42 * len(classes) + 1.6)
    figure = new_figure(side, side)
    axes = tidy(figure.subplots(), grid=None)
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=max(1, counts.max()))
    if len(classes) <= NAMED:
        for row, column in np.argwhere(counts):
            color = "white" if counts[row, column] > 0.6 * counts.max() else INK
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=color)
        names = [short(name, 10) for name in classes]
        axes.set_xticks(range(len(classes)), names, rotation=60, parse_math=False)
        axes.set_yticks(range(len(classes)), names, parse_math=False)
    axes.set(xlabel="changed to", ylabel="given")
    return figure


def repaired_pictures(samples: Samples, frame: pd.DataFrame, rows: np.ndarray, columns: int = 12) -> Figure:
    """The images of these rows of the frame (as `repairs` gives it), above each: given label → suggested label."""
    lines = max(1, -(-len(rows) // columns))
    figure = new_figure(0.8 * columns, 1.05 * lines)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel, row in zip(panels, rows, strict=False):
        one = frame.iloc[row]
        panel.imshow(samples.images[row].squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        words = " → ".join(short(samples.classes[label], 8) for label in (one["given"], one["suggested"]))
        panel.set_title(words, fontsize=5.6, color=INK, pad=2, parse_math=False)
    for panel in panels:
        panel.set_axis_off()
    return figure


def gain_bars(table: pd.DataFrame) -> Figure:
    """Gain in test accuracy of each variant over the labels as given, percentage points; table: as `gains_table`."""
    own = table[table["gain"].notna()].iloc[::-1]
    figure = new_figure(6.2, 0.45 * len(own) + 0.9)
    axes: Axes = tidy(figure.subplots(), "Gain in test accuracy over the labels as given", grid="x")
    ends = 100 * np.nan_to_num([own["gain"] - own["gain_low"], own["gain_high"] - own["gain"]]).clip(min=0)
    axes.barh(range(len(own)), 100 * own["gain"], color="#0072b2", height=0.55, xerr=ends, error_kw={"ecolor": INK})
    axes.axvline(0, color=GRID, linewidth=1)
    axes.set_yticks(range(len(own)), [name.replace("_", " ") for name in own["trained on"]])
    axes.set_xlabel("percentage points, 95 % interval")
    return figure


def _map(rows: np.ndarray, seed: int) -> np.ndarray:
    """float (n, 2); of few rows the neighbourhoods are smaller."""
    few = min(PERPLEXITY, (len(rows) - 1) / 3)
    method = TSNE(perplexity=few, max_iter=STEPS, init="pca", random_state=seed)
    return method.fit_transform(np.ascontiguousarray(rows, np.float32))

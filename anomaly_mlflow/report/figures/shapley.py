"""Which signals speak for which type, and which way."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.explain import Explanation
from anomaly_mlflow.report.canvas import new_figure, tidy
from anomaly_mlflow.report.palette import COLORS, NAMES

__all__ = ["pair_bars", "shap_bars", "shap_beeswarm"]

SIGNALS = 8
SWARM_SIGNALS = 6
SWARM_ROWS = 800
PAIR_SIGNALS = 5


def shap_bars(found: Explanation, kind: AnomalyType | str) -> Figure:
    """Mean absolute SHAP value of the strongest signals for one type, over all held-out rows, in log-odds."""
    kind = AnomalyType(kind)
    strength = np.abs(found.values[:, :, found.types.index(kind)]).mean(axis=0)
    chosen = _strongest(strength, SIGNALS)[::-1]
    figure = new_figure(4.2, 0.25 * len(chosen) + 0.7)
    axes = tidy(figure.subplots(), NAMES[kind], grid="x")
    axes.barh([found.columns[i] for i in chosen], strength[chosen], color=COLORS[kind], height=0.66)
    axes.set_xlim(0, max(float(strength.max()) * 1.05, 1e-3))
    return figure


def shap_beeswarm(found: Explanation) -> Figure:
    """SHAP values of single samples, one panel per type: right of the line the signal speaks for the type.

    Colour: where the sample stands under the signal, blue = least, red = most suspicious.
    At most 800 samples, evenly spaced over the table.
    """
    kinds = [kind for kind in found.types if found.values[:, :, found.types.index(kind)].any()] or list(found.types[:1])
    rows = np.unique(np.linspace(0, len(found.sample_id) - 1, SWARM_ROWS).astype(int))
    columns = min(2, len(kinds))
    height = -(-len(kinds) // columns)
    figure = new_figure(5 * columns, 2.1 * height)
    panels = figure.subplots(height, columns, squeeze=False)
    for panel in panels.flat[len(kinds) :]:
        panel.set_visible(False)
    for panel, kind in zip(panels.flat, kinds, strict=False):
        _swarm(panel, found, found.values[:, :, found.types.index(kind)], rows)
        tidy(panel, NAMES[kind], grid="x").title.set_color(COLORS[kind])
    return figure


def _swarm(axes: Axes, found: Explanation, values: np.ndarray, rows: np.ndarray) -> None:
    chosen = _strongest(np.abs(values).mean(axis=0), SWARM_SIGNALS)[::-1]
    axes.axvline(0, color="#9aa1a9", linewidth=1)
    for height, column in enumerate(chosen):
        x = values[rows, column]
        axes.scatter(
            x, height + _spread(x), c=found.percentile[rows, column], cmap="coolwarm", vmin=0, vmax=1, s=5, linewidths=0
        )
    axes.set_yticks(range(len(chosen)), [found.columns[i] for i in chosen])


def _spread(x: np.ndarray, bins: int = 60) -> np.ndarray:
    """Offsets in -.4 .. .4 that lay samples of about the same value side by side, the densest value the widest."""
    edges = np.linspace(x.min(), x.max() + 1e-9, bins)
    cell = np.digitize(x, edges)
    counts = np.bincount(cell)
    order = np.argsort(cell, kind="stable")
    place = np.empty(len(x))
    place[order] = np.arange(len(x)) - np.repeat(np.cumsum(counts) - counts, counts)
    side = np.where(place % 2 == 0, 1, -1) * np.ceil(place / 2)
    return 0.8 * side / max(counts.max(), 12)


def _strongest(strength: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(-strength, kind="stable")[:count]


def pair_bars(pairs: pd.DataFrame) -> Figure:
    """For each pair of types the signals that hold them apart, as shares of all that moves the gap in log-odds.

    pairs: as `pair_importance` gives it, strongest first within a pair.
    """
    of_pair = list(pairs.groupby(["first", "second"], sort=False))
    columns = min(3, len(of_pair))
    height = -(-len(of_pair) // columns)
    figure = new_figure(4.2 * columns, 1.7 * height)
    panels = figure.subplots(height, columns, squeeze=False)
    for panel in panels.flat[len(of_pair) :]:
        panel.set_visible(False)
    for panel, ((first, second), own) in zip(panels.flat, of_pair, strict=False):
        top = own.head(PAIR_SIGNALS).iloc[::-1]
        panel.barh(top["signal"], top["share"], color=COLORS[AnomalyType(second)], height=0.66)
        tidy(panel, f"{NAMES[AnomalyType(first)]} / {NAMES[AnomalyType(second)]}", grid="x")
    return figure

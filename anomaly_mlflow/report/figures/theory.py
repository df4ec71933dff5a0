"""What theory predicts beside what was measured."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.report.canvas import GRID, INK, new_figure, present, tidy
from anomaly_mlflow.report.palette import COLORS, NAMES
from anomaly_mlflow.studies.theory.trajectories import Recorded, Trajectories

__all__ = ["correlation_bars", "mean_trajectories", "pair_scatter", "rate_curve"]

TICKS = (0.1, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999)
CURVES = {
    "measured": ("measured", "-", INK),
    "predicted": ("Bayes optimum, posterior of the baseline", "--", "#0072b2"),
    "predicted_independent": ("the same, posterior of the clean side", "--", "#009e73"),
    "predicted_spared": ("the same as the first, hard images known and spared", ":", "#0072b2"),
}
MEASURES = {"loss": "predicted loss", "static": "prototype distance"}


def pair_scatter(pairs: pd.DataFrame, injected: pd.DataFrame) -> Figure:
    """T1: predicted against measured AUROC, a point a pair of classes; left from reference rows, right from unseen.

    pairs, injected: as `pair_table` and `injected_pairs` give them. Axes are stretched towards 1 (logit).
    """
    figure = new_figure(9, 4.3)
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    _scatter(left, pairs["predicted"], pairs["measured"], "#9aa1a9", "clean rows, as if given the other label")
    for kind in present(injected["anomaly_type"]):
        some = injected[injected["anomaly_type"] == kind]
        _scatter(left, some["predicted"], some["measured"], COLORS[kind], f"injected: {NAMES[kind]}")
    _scatter(right, pairs["predicted_unseen"], pairs["measured_unseen"], "#9aa1a9", None)
    lowest = float(np.nanmin(pairs[["predicted", "measured", "predicted_unseen", "measured_unseen"]].to_numpy()))
    for axes, title in ((left, "Moments of rows the encoder learnt from"), (right, "Moments of rows it never saw")):
        tidy(axes, title, grid="both").set_xlabel("predicted AUROC")
        axes.plot([1e-4, 1 - 1e-4], [1e-4, 1 - 1e-4], color=INK, linewidth=0.8, linestyle=(0, (3, 3)))
        axes.set(xscale="logit", yscale="logit")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_locator(NullLocator())
            axis.set_ticks(TICKS, [f"{tick:g}".lstrip("0") for tick in TICKS])
        limits = min(lowest, 0.5) * 0.95, 0.9997
        axes.set(xlim=limits, ylim=limits)
    left.set_ylabel("measured AUROC")
    _legend(figure, left, 3)
    return figure


def rate_curve(rates: pd.DataFrame) -> Figure:
    """T2: AUROC of entropy, near misses against hard images, over the noise rate; bars are 95 % intervals."""
    figure = new_figure(7.2, 4.2)
    axes = tidy(figure.subplots(), "Entropy: near misses against hard images (AUROC)")
    for column, (name, style, color) in CURVES.items():
        ends = rates[[f"{column}_low", f"{column}_high"]].to_numpy().T
        axes.plot(rates["noise_rate"], rates[column], style, color=color, marker="o", markersize=4, label=name)
        axes.vlines(rates["noise_rate"], *ends, color=color, linewidth=1.4, alpha=0.6)
    axes.axhline(0.5, color="#9aa1a9", linewidth=1, linestyle=(0, (3, 3)))
    axes.set_xlabel("noise rate: share of near-miss labels among the images of classes that have any")
    _legend(figure, axes, 2)
    return figure


def mean_trajectories(predicted: Trajectories, recorded: Recorded, types: np.ndarray) -> Figure:
    """T3: squared error of the given label per epoch, mean of each type; predicted left, recorded right."""
    figure = new_figure(9, 3.8)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, values, title in (
        (left, predicted.loss, "Predicted by the kernel flow"),
        (right, recorded.brier.mean(axis=0), "Recorded"),
    ):
        epochs = np.arange(1, len(values) + 1)
        for kind in present(types):
            mean = values[:, types == kind].mean(axis=1)
            axes.plot(epochs, mean, color=COLORS[kind], label=NAMES[kind], linewidth=1.8, marker="o", markersize=2.5)
        tidy(axes, title).set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_ylabel("mean squared error, |f - y|² and |p - y|²")
    _legend(figure, left, 6)
    return figure


def correlation_bars(table: pd.DataFrame) -> Figure:
    """T3: Spearman's correlation with the recorded mean loss, by type, with 95 % intervals, from `type_table`."""
    figure = new_figure(7.2, 0.42 * len(table) + 1.4)
    axes = tidy(figure.subplots(), "Rank correlation with the recorded mean loss", grid="x")
    for shift, (column, name) in zip((-0.14, 0.14), MEASURES.items(), strict=True):
        heights = np.arange(len(table)) + shift
        color = "#0072b2" if column == "loss" else "#9aa1a9"
        axes.hlines(heights, table[f"{column}_low"], table[f"{column}_high"], color=color, linewidth=2.4)
        axes.plot(table[column], heights, "o", color="white", markeredgecolor=color, markeredgewidth=1.6, label=name)
    axes.set_yticks(range(len(table)), [_name(kind) for kind in table["anomaly_type"]])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.axvline(0, color=GRID, linewidth=1)
    _legend(figure, axes, 2)
    return figure


def _scatter(axes: Axes, x: pd.Series, y: pd.Series, color: str, label: str | None) -> None:
    axes.scatter(x.clip(1e-3, 0.9995), y.clip(1e-3, 0.9995), s=18, color=color, alpha=0.85, linewidths=0, label=label)


def _legend(figure: Figure, axes: Axes, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    where = "outside lower center"
    figure.legend(handles, labels, loc=where, ncols=columns, frameon=False, fontsize=8.5, labelcolor=INK)


def _name(kind: str) -> str:
    return "all rows" if kind == "all" else NAMES[AnomalyType(kind)]

"""How the types fared while the noisy model was trained."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from anomaly_mlflow.report.canvas import INK, new_figure, present, tidy
from anomaly_mlflow.report.curves import Curves
from anomaly_mlflow.report.palette import COLORS, NAMES

__all__ = ["test_accuracy", "training_curves"]


def training_curves(curves: Sequence[Curves], types: np.ndarray) -> Figure:
    """Loss and confidence of the given label per epoch: mean of each type, band over the middle half of its samples.

    types: names of AnomalyType (n,), in the order of the columns of the curves. Samples are averaged over seeds first.
    """
    figure = new_figure(9, 3.4)
    left, right = figure.subplots(1, 2)
    _by_type(left, np.mean([seed.loss for seed in curves], axis=0), types)
    _by_type(right, np.mean([seed.confidence for seed in curves], axis=0), types)
    tidy(left, "Loss of the given label (nats)").set_xlabel("epoch")
    tidy(right, "Probability of the given label").set_xlabel("epoch")
    right.set_ylim(0, 1)
    handles, labels = left.get_legend_handles_labels()
    ncols = len(labels)
    figure.legend(handles, labels, loc="outside lower center", ncols=ncols, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def test_accuracy(curves: Sequence[Curves]) -> Figure:
    """Accuracy on the untouched test set per epoch, one line per seed."""
    figure = new_figure(4.5, 3)
    axes = tidy(figure.subplots(), "Accuracy on clean test images")
    for seed in curves:
        epochs = np.arange(1, len(seed.test_accuracy) + 1)
        axes.plot(epochs, seed.test_accuracy, color="#0072b2", alpha=0.75, marker="o", markersize=2.5, linewidth=1.4)
    axes.set_xlabel("epoch")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _by_type(axes: Axes, values: np.ndarray, types: np.ndarray) -> None:
    epochs = np.arange(1, len(values) + 1)
    marker = "o" if len(epochs) == 1 else None
    for kind in present(types):
        of_type = values[:, types == kind]
        low, high = np.quantile(of_type, [0.25, 0.75], axis=1)
        axes.fill_between(epochs, low, high, color=COLORS[kind], alpha=0.12, linewidth=0)
        axes.plot(epochs, of_type.mean(axis=1), color=COLORS[kind], label=NAMES[kind], linewidth=1.8, marker=marker)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))

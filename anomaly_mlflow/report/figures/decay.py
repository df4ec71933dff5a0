"""Decay of models under growing damage: over severity, and over what the damage is to an eye."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import INK, new_figure, tidy

__all__ = ["decay_figure", "equal_figure"]

# Okabe and Ito (2008).
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a828c")
TITLES = {"accuracy": "Accuracy", "entropy": "Mean entropy, nats", "calibration": "Calibration error"}


def decay_figure(curves: pd.DataFrame) -> Figure:
    """A row of panels for each corruption: accuracy, entropy and calibration error over severity, a line a model.

    curves: as `decay_table` gives it; bands: 95 %.
    """
    corruptions, models = list(dict.fromkeys(curves["corruption"])), list(dict.fromkeys(curves["model"]))
    figure = new_figure(8.6, 1.9 * len(corruptions) + 0.6)
    panels = figure.subplots(len(corruptions), len(TITLES), squeeze=False)
    for row, corruption in zip(panels, corruptions, strict=True):
        for axes, (measure, title) in zip(row, TITLES.items(), strict=True):
            own = curves[(curves["corruption"] == corruption) & (curves["measure"] == measure)]
            _lines(axes, own, "model", models, "severity")
            name = corruption.replace("_", " ")
            tidy(axes, f"{title}: {name}", grid="both").set_xlabel(own["unit"].iloc[0])
            axes.set_ylim(bottom=0, top=1.03 if measure == "accuracy" else None)
    if len(models) > 1:
        _legend(figure, panels[0][0])
    return figure


def equal_figure(curves: pd.DataFrame) -> Figure:
    """A panel for each model: accuracy over mean SSIM, a line a corruption, so that equal damage to an eye compares."""
    corruptions, models = list(dict.fromkeys(curves["corruption"])), list(dict.fromkeys(curves["model"]))
    columns = min(3, len(models))
    figure = new_figure(max(4.6, 3.2 * columns), 3.2 * -(-len(models) // columns) + 0.5)
    panels = figure.subplots(-(-len(models) // columns), columns, squeeze=False, sharey=True).ravel()
    for spare in panels[len(models) :]:
        spare.set_axis_off()
    for axes, model in zip(panels, models, strict=False):
        own = curves[(curves["model"] == model) & (curves["measure"] == "accuracy")]
        _lines(axes, own, "corruption", corruptions, "similarity")
        tidy(axes, model, grid="both").set_xlabel("mean SSIM (1 = undamaged)")
        axes.set_ylabel("accuracy")
        axes.set_ylim(0, 1.03)
        axes.invert_xaxis()
    _legend(figure, panels[0])
    return figure


def _lines(axes: Axes, own: pd.DataFrame, by: str, names: list[str], over: str) -> None:
    for number, name in enumerate(names):
        line, color = own[own[by] == name], COLORS[number % len(COLORS)]
        axes.fill_between(line[over], line["low"], line["high"], color=color, alpha=0.15, linewidth=0)
        label = name.replace("_", " ")
        axes.plot(line[over], line["value"], "o-", color=color, markersize=3, linewidth=1.4, label=label)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8, labelcolor=INK)

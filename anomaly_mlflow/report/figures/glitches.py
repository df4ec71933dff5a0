"""F1 of the influence signals by glitch, as bars; F1 over the ratio; where the time goes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import INK, new_figure, tidy
from anomaly_mlflow.studies.glitch_table import Summary

__all__ = ["SIGNALS", "f1_bars", "ratio_curves", "time_split"]

# Okabe and Ito (2008); the signals that were there before the paper are grey.
SIGNALS = {
    "si": ("SI", "#5b6570"),
    "mai": ("MAI", "#7a828c"),
    "mi": ("-MI", "#9aa1a9"),
    "gd_class": ("GD-class", "#bcc2c9"),
    "final_loss": ("loss", "#e69f00"),
    "cnci": ("CNCI", "#0072b2"),
    "pcid": ("PCID", "#009e73"),
    "cfrank": ("CFRank", "#cc79a7"),
}
PARTS = ("training", "influence", "counterfactual", "signals")
COLUMNS = 4


def f1_bars(table: pd.DataFrame, summaries: Sequence[Summary]) -> dict[str, Figure]:
    """`dataset-model` -> a panel for each glitch at its first ratio: F1 at known contamination, 95 % intervals.

    The dashed line is the best F1 that there can be. table: as `signals_table` gives it.
    """
    own = table[(table["measure"] == "f1_known") & (table["reference_noise"] == 0)]
    ceilings = {tuple(one.key.values())[:4]: one.facts["ceiling"] for one in summaries}
    return {
        f"{dataset}-{model}".replace(":", "-").replace("/", "-"): _panels(part, ceilings, f"{dataset}, {model}")
        for (dataset, model), part in own.groupby(["dataset", "model"], sort=False)
    }


def ratio_curves(table: pd.DataFrame) -> Figure | None:
    """F1 over the ratio, a panel for each data set, model and glitch with several; None where there is none."""
    own = table[(table["measure"] == "f1_known") & (table["reference_noise"] == 0)]
    parts = [(key, part) for key, part in own.groupby(["dataset", "model", "glitch"], sort=False) if _several(part)]
    if not parts:
        return None
    figure, panels = _grid(len(parts), 2.6)
    for axes, (key, part) in zip(panels, parts, strict=True):
        tidy(axes, ", ".join(key), grid="both").set_ylim(-0.03, 1.03)
        for signal, (name, color) in SIGNALS.items():
            line = part[part["signal"] == signal].sort_values("ratio")
            axes.plot(100 * line["ratio"], line["value"], "o-", color=color, markersize=3, label=name)
            axes.vlines(100 * line["ratio"], line["low"], line["high"], color=color, alpha=0.5)
        axes.set_xlabel("ratio, %")
    panels[0].legend(frameon=False, fontsize=7, ncols=2, labelcolor=INK)
    return figure


def time_split(seconds: pd.DataFrame) -> Figure:
    """Seconds of the parts of a training, a bar for each data set and model; as `seconds_table` gives it."""
    figure = new_figure(7.2, 0.5 * len(seconds) + 1.5)
    axes, left = tidy(figure.subplots(), "Seconds of one training and its signals", grid="x"), np.zeros(len(seconds))
    for part, color in zip(PARTS, ("#bcc2c9", "#0072b2", "#009e73", "#cc79a7"), strict=True):
        axes.barh(range(len(seconds)), seconds[part], left=left, color=color, label=part, height=0.6)
        left += seconds[part].to_numpy()
    names = (seconds["dataset"] + ", " + seconds["model"]).tolist()
    axes.set_yticks(range(len(seconds)), names, parse_math=False)
    axes.set_ylim(len(seconds) - 0.5, -0.5)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=8.5, labelcolor=INK)
    return figure


def _panels(part: pd.DataFrame, ceilings: dict, title: str) -> Figure:
    glitches = list(dict.fromkeys(part["glitch"]))
    figure, panels = _grid(len(glitches), 2.5)
    for axes, glitch in zip(panels, glitches, strict=True):
        own = part[part["glitch"] == glitch]
        cell = own[own["ratio"] == own["ratio"].iloc[0]].set_index("signal").reindex(list(SIGNALS))
        key = tuple(cell.iloc[0][["dataset", "model", "glitch", "ratio"]])
        _bars(axes, cell, ceilings[key])
        tidy(axes, f"{glitch}, {100 * key[3]:g} %")
    figure.suptitle(f"F1 at known contamination: {title}", fontsize=9.5, color=INK, parse_math=False)
    return figure


def _bars(axes: Axes, cell: pd.DataFrame, ceiling: float) -> None:
    names, colors = zip(*SIGNALS.values(), strict=True)
    reach = [cell["value"] - cell["low"], cell["high"] - cell["value"]]
    axes.bar(range(len(cell)), cell["value"], color=colors, width=0.75)
    axes.errorbar(range(len(cell)), cell["value"], np.maximum(reach, 0), fmt="none", ecolor=INK, elinewidth=1)
    axes.axhline(ceiling, color=INK, linewidth=0.8, linestyle=(0, (3, 3)))
    axes.set_ylim(0, 1.03)
    axes.set_xticks(range(len(cell)), names, rotation=60, ha="right")


def _grid(number: int, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(COLUMNS, number)
    rows = -(-number // columns)
    figure = new_figure(max(3.6, 2.5 * columns), height * rows + 0.4)
    panels = list(figure.subplots(rows, columns, sharey=True, squeeze=False).ravel())
    for spare in panels[number:]:
        spare.set_axis_off()
    return figure, panels[:number]


def _several(part: pd.DataFrame) -> bool:
    return part["ratio"].nunique() > 1

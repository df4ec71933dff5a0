"""How the type classifier does: confusions, calibration, what abstaining buys, what each signal is worth."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anomaly_mlflow.report.canvas import INK, new_figure, tidy
from anomaly_mlflow.report.palette import type_name

__all__ = ["ablation_plot", "confusion_plot", "reliability_plot", "risk_coverage_plot"]

BLUE, ORANGE = "#0072b2", "#d55e00"
SIGNALS = 12


def confusion_plot(table: pd.DataFrame) -> Figure:
    """Rows: what a sample is; columns: what it is called; shares of the row, mean over seeds.

    table: as `confusion_table` gives it: `type`, then one column of counts per called type.
    """
    counts = table.set_index("type").astype(float)
    shares = counts.div(counts.sum(axis=1), axis=0).to_numpy()
    figure = new_figure(0.85 * counts.shape[1] + 1.4, 0.5 * len(counts) + 1.1)
    axes = tidy(figure.subplots(), grid=None)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*shares.shape):
        color = "white" if shares[row, column] > 0.6 else INK
        axes.text(column, row, f"{shares[row, column]:.0%}", ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(counts.shape[1]), [type_name(name) for name in counts.columns], rotation=20)
    axes.set_yticks(range(len(counts)), [type_name(name) for name in counts.index])
    axes.set(xlabel="called", ylabel="is")
    return figure


def reliability_plot(bins: Mapping[str, pd.DataFrame]) -> Figure:
    """Share right against mean probability, bin by bin; on the diagonal a probability means what it says.

    bins: title -> one frame with `seed`, `probability` and `right`, as `calibration_table` gives them.
    """
    columns = min(4, len(bins))
    rows = -(-len(bins) // columns)
    figure = new_figure(2.4 * columns, 2.5 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for panel, (title, frame) in zip(panels, bins.items(), strict=False):
        panel.plot([0, 1], [0, 1], color="#9aa1a9", linewidth=1, linestyle=(0, (3, 3)))
        for _, seed in frame.groupby("seed"):
            panel.plot(seed["probability"], seed["right"], "o-", color=BLUE, markersize=3, linewidth=1, alpha=0.7)
        tidy(panel, type_name(title)).set(xlim=(0, 1), ylim=(0, 1))
    for panel in panels:
        panel.set_visible(False)
    figure.supxlabel("probability", fontsize=8.5, color=INK)
    figure.supylabel("share that is right", fontsize=8.5, color=INK)
    return figure


def risk_coverage_plot(curves: Sequence[pd.DataFrame], points: Sequence[tuple[float, float]]) -> Figure:
    """Share of wrong calls among the calls kept, the least probable left out first; ring: where the rule abstains.

    curves: one per seed, as `risk_coverage` gives them; points: coverage and risk of the rule, one per seed.
    """
    figure = new_figure(4.2, 2.8)
    axes = tidy(figure.subplots(), "Calls of an anomaly")
    for curve in curves:
        axes.plot(curve["coverage"], curve["risk"], color=BLUE, linewidth=1.2, alpha=0.7)
    for coverage, risk in points:
        axes.plot(coverage, risk, "o", color="white", markeredgecolor=ORANGE, markeredgewidth=1.8, markersize=7)
    axes.set(xlabel="share of the calls kept", ylabel="share of them that is wrong", xlim=(0, 1.02), ylim=(0, None))
    return figure


def ablation_plot(table: pd.DataFrame) -> Figure:
    """What is lost without a family or signal, and what a family reaches alone, with intervals.

    table: as `ablation` gives it. Left: macro-F1 of the type classifier; right: AUROC of near miss against hard.
    """
    figure = new_figure(9.6, 6.4)
    panels = figure.subplots(2, 2, height_ratios=(1, 1.5))
    for column, (measure, title) in enumerate((("macro_f1", "Macro-F1"), ("near_miss_vs_hard", "Near miss vs hard"))):
        own = table[table["measure"] == measure]
        _alone(panels[0, column], own, title)
        lost = own[own["how"].isin(["all_but", "permuted", "dropped"])]
        _lost(panels[1, column], lost, f"{title}: lost without it")
    return figure


def _alone(axes: Axes, own: pd.DataFrame, title: str) -> None:
    alone = own[own["how"] == "only"].sort_values("value")
    axes.errorbar(alone["value"], range(len(alone)), xerr=_ends(alone), fmt="o", color=BLUE, markersize=5)
    for row in own[own["how"] == "all"].itertuples():
        axes.axvline(row.value, color="#9aa1a9", linewidth=1, linestyle=(0, (3, 3)))
    axes.set_yticks(range(len(alone)), alone["what"])
    tidy(axes, f"{title}: one family alone (line: all)", grid="x")


def _lost(axes: Axes, lost: pd.DataFrame, title: str) -> None:
    looks = {"all_but": ("s", ORANGE), "permuted": ("o", BLUE), "dropped": ("D", "#009e73")}
    families = lost[lost["how"] == "all_but"]
    signals = lost[lost["how"] != "all_but"].groupby("what")["loss"].max().nlargest(SIGNALS).index
    names = [*signals[::-1], *families.sort_values("loss")["what"]]
    for how, (marker, color) in looks.items():
        rows = lost[(lost["how"] == how) & lost["what"].isin(names)]
        heights = [names.index(name) for name in rows["what"]]
        ends = _ends(rows, "loss", "loss_low", "loss_high")
        axes.errorbar(rows["loss"], heights, xerr=ends, fmt=marker, color=color, markersize=4, label=how, linewidth=1)
    axes.axvline(0, color="#9aa1a9", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    tidy(axes, title, grid="x").legend(fontsize=7, frameon=False)


def _ends(rows: pd.DataFrame, value: str = "value", low: str = "low", high: str = "high") -> np.ndarray:
    """Lengths of both whiskers, 0 where there is no interval."""
    ends = np.stack([rows[value] - rows[low], rows[high] - rows[value]])
    return np.nan_to_num(ends).clip(min=0)

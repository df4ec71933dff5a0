"""Trainings with conflicting labels: what each epoch shows, and how entropy is spread at the peak and at the end."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from anomaly_mlflow.report.canvas import INK, new_figure, tidy
from anomaly_mlflow.studies.memorization_measures import column
from anomaly_mlflow.studies.memorization_table import Cell

__all__ = ["curves_figure", "histograms"]

# Okabe and Ito (2008); the report's green and red, for readers who do not tell these apart.
CLEAN, CONFLICTING, THIRD = "#009e73", "#d55e00", "#0072b2"
PANELS = (
    ("Generalization, memorization", {"test_accuracy": CLEAN, "memorized": CONFLICTING, "corrected": THIRD}),
    ("Mean entropy, nats", {"entropy_clean": CLEAN, "entropy_conflicting": CONFLICTING}),
    ("AUROC, conflicting against clean", {"auroc_entropy": THIRD, "auroc_loss": "#cc79a7"}),
)
LABELS = {
    "test_accuracy": "test accuracy",
    "memorized": "wrong labels predicted as given",
    "corrected": "their true class predicted",
    "entropy_clean": "clean",
    "entropy_conflicting": "conflicting",
    "auroc_entropy": "entropy",
    "auroc_loss": "loss",
}
BINS = 40

Spread = tuple[Cell, np.ndarray, np.ndarray, np.ndarray]


def curves_figure(cells: Sequence[Cell]) -> Figure:
    """A row of panels for each cell over its epochs, bands 95 %; grey: the window, dashed: its peak; dotted: spike."""
    figure = new_figure(9.4, 2.2 * len(cells) + 0.6)
    panels = figure.subplots(len(cells), len(PANELS), squeeze=False)
    for row, cell in zip(panels, cells, strict=True):
        for axes, (title, measures) in zip(row, PANELS, strict=True):
            for measure, color in measures.items():
                _curve(axes, cell, measure, color)
            _marks(axes, cell)
            tidy(axes, title).set_xlabel("epoch")
            axes.set_xlim(0.5, cell.epochs + 0.5)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        row[0].set_ylim(0, 1.03)
        row[0].set_ylabel(title_of(cell), parse_math=False)
    for axes in panels[0]:
        axes.legend(frameon=False, fontsize=7, labelcolor=INK, loc="best")
    return figure


def histograms(spreads: Sequence[Spread]) -> Figure:
    """Entropy of clean and conflicting images at the peak of the window and at the end, two panels for each cell.

    spreads: cell, entropy at the peak and at the end (float (n,), nats), and which rows conflict (bool (n,)). Each
    side is a share of its own rows.
    """
    figure = new_figure(8.2, 2.0 * len(spreads) + 0.6)
    panels = figure.subplots(len(spreads), 2, squeeze=False)
    for row, (cell, at_peak, at_end, conflicting) in zip(panels, spreads, strict=True):
        peak = f"epoch {cell.window.peak + 1}, the peak" if cell.window else "the middle: no window"
        for axes, values, when in zip(row, (at_peak, at_end), (peak, f"epoch {cell.epochs}, the end"), strict=True):
            edges = np.linspace(0, max(1e-3, float(max(at_peak.max(), at_end.max()))), BINS + 1)
            for own, color, label in ((~conflicting, CLEAN, "clean"), (conflicting, CONFLICTING, "conflicting")):
                share = np.full(own.sum(), 1 / max(1, own.sum()))
                axes.hist(values[own], edges, weights=share, color=color, alpha=0.55, label=label)
            tidy(axes, when).set_xlabel("entropy, nats")
        row[0].set_ylabel(title_of(cell), parse_math=False)
    panels[0][0].legend(frameon=False, fontsize=8, labelcolor=INK)
    return figure


def title_of(cell: Cell) -> str:
    """Model, reading and augmentation of a cell, in three short lines."""
    augmentation = "no augmentation" if cell.key["augmentation"] == "none" else "augmentation"
    return f"{cell.key['model']}\n{cell.key['reading']}\n{augmentation}"


def _curve(axes: Axes, cell: Cell, measure: str, color: str) -> None:
    epochs = np.arange(1, cell.epochs + 1)
    names = [column(epoch, measure) for epoch in range(cell.epochs)]
    drawn = cell.figures.draws[names].to_numpy()
    if np.isfinite(drawn).all():
        axes.fill_between(epochs, *np.quantile(drawn, [0.025, 0.975], axis=0), color=color, alpha=0.15, linewidth=0)
    axes.plot(epochs, cell.curve(measure), color=color, linewidth=1.6, label=LABELS[measure])


def _marks(axes: Axes, cell: Cell) -> None:
    if cell.window:
        axes.axvspan(cell.window.start + 0.5, cell.window.end + 1.5, color="#e4e7eb", alpha=0.6, linewidth=0, zorder=0)
        axes.axvline(cell.window.peak + 1, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    if cell.spike is not None:
        axes.axvline(cell.spike + 1, color=INK, linewidth=0.9, linestyle=(0, (1, 2)))

"""Cells of the memorization study -> curves with intervals, windows, and what intervening at their peak would catch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.memorization_measures import MEASURES, column
from anomaly_mlflow.studies.memorization_window import Window, divergence_window, memorization_spike
from anomaly_mlflow.studies.resampled import Resampled

__all__ = ["CAUGHT", "KEYS", "Cell", "caught_table", "curves_table", "windows_table"]

KEYS = ["dataset", "model", "reading", "augmentation"]
CAUGHT = ("precision_entropy", "recall_entropy", "precision_loss", "recall_loss")


@dataclass(frozen=True)
class Cell:
    """One way to train, over its seeds. key: KEYS -> value; figures: all columns of `measure_training`.

    seeds, epochs, rows (training images a seed), conflicting (of them), test_rows: counts.
    """

    key: Mapping[str, str]
    figures: Resampled
    seeds: int
    epochs: int
    rows: int
    conflicting: int
    test_rows: int

    def curve(self, measure: str) -> np.ndarray:
        """float64 (epochs,)."""
        return self.figures.value[[column(epoch, measure) for epoch in range(self.epochs)]].to_numpy(np.float64)

    def draws(self, measure: str) -> np.ndarray:
        """float64 (draws, epochs); NaN where there are too few images for any."""
        return self.figures.draws[[column(epoch, measure) for epoch in range(self.epochs)]].to_numpy(np.float64)

    def at(self, epoch: int, measure: str) -> Interval:
        """A figure of an epoch, counted from 0."""
        return self.figures.interval(column(epoch, measure))

    def less(self, measure: str, epoch: int, other: int) -> Interval:
        """A measure at an epoch less the same at another, in the same draws."""
        return self.figures.of(lambda frame: frame[column(epoch, measure)] - frame[column(other, measure)])

    def best(self, measure: str) -> tuple[int, float]:
        """The epoch, counted from 1, of the largest value of a measure, and that value."""
        curve = self.curve(measure)
        return int(curve.argmax()) + 1, float(curve.max())

    @cached_property
    def window(self) -> Window | None:
        """Where the mean entropies of clean and of conflicting images lie apart."""
        names = ("entropy_clean", "entropy_conflicting")
        clean, conflicting = (self.draws(name) for name in names)
        return divergence_window(*(self.curve(name) for name in names), (conflicting - clean).std(axis=0))

    @property
    def spike(self) -> int | None:
        """The epoch, counted from 0, in which memorization rises most."""
        return memorization_spike(self.curve("memorized"), np.diff(self.draws("memorized"), axis=1).std(axis=0))


def curves_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """A row for each cell, epoch (counted from 1) and measure: KEYS, epoch, measure, value, low, high, seeds."""
    rows = []
    for cell in cells:
        for epoch in range(cell.epochs):
            for measure in MEASURES:
                ends = cell.at(epoch, measure)
                rows.append((*cell.key.values(), epoch + 1, measure, ends.value, ends.low, ends.high, cell.seeds))
    return pd.DataFrame(rows, columns=[*KEYS, "epoch", "measure", "value", "low", "high", "seeds"])


def windows_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """A row for each cell: KEYS, start, peak, end, spike (epochs from 1; none where there is none), closed, gap.

    best_entropy, best_loss: epochs of the highest AUROC of entropy and of loss; auroc_entropy, auroc_loss: its value.
    """
    rows = []
    for cell in cells:
        window, spike = cell.window, cell.spike
        found = (window.start + 1, window.peak + 1, window.end + 1) if window else ("none",) * 3
        ends = _gap(cell, window.peak) if window else Interval(np.nan, np.nan, np.nan)
        closed = "" if window is None else "yes" if window.closed else "no"
        last = "none" if spike is None else spike + 1
        told = [each for signal in ("entropy", "loss") for each in cell.best(f"auroc_{signal}")]
        rows.append((*cell.key.values(), *found, closed, ends.value, ends.low, ends.high, last, *told))
    names = ["start", "peak", "end", "closed", "gap", "gap_low", "gap_high", "spike"]
    names += ["best_entropy", "auroc_entropy", "best_loss", "auroc_loss"]
    return pd.DataFrame(rows, columns=[*KEYS, *names])


def caught_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """Precision and recall at the peak, at the end, and the difference: KEYS, measure, when, value, low, high.

    Cells without a window are left out.
    """
    rows = []
    for cell in cells:
        if cell.window is None:
            continue
        peak, last = cell.window.peak, cell.epochs - 1
        for measure in CAUGHT:
            found = {"peak": cell.at(peak, measure), "end": cell.at(last, measure)}
            found["peak less end"] = cell.less(measure, peak, last)
            rows += [(*cell.key.values(), measure, when, e.value, e.low, e.high) for when, e in found.items()]
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "when", "value", "low", "high"])


def _gap(cell: Cell, epoch: int) -> Interval:
    first, second = column(epoch, "entropy_conflicting"), column(epoch, "entropy_clean")
    return cell.figures.of(lambda frame: frame[first] - frame[second])

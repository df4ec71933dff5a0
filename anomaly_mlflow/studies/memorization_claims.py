"""The report's figures of Experiment II beside ours, and its directions as claims, all fixed before the data is seen.

Epochs count from 1, as in the report. It does not say at which epoch the means .43 and .55 were taken: ours stand at
the last epoch of the window, with augmentation, as its baseline has it. Its figures of epochs 6 and 13 need a model
that memorises within 13 epochs: ours stand without augmentation. It says that those came from "the second experiment",
that of two classes; but with two classes no entropy exceeds ln 2 = .693 nats, so .78 and .99 are either bits, of two
classes, or nats, of ten: both are set beside.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.memorization_measures import column
from anomaly_mlflow.studies.memorization_table import Cell
from anomaly_mlflow.studies.report_table import direction, number, report_table

__all__ = ["ALL_CLASSES", "SHARE", "memorization_report"]

ALL_CLASSES = "all classes"
"""The reading that is not of two classes."""

SHARE = 0.2
"""Share of conflicting labels in the report."""

TOLERANCE = 0.05
EARLY = range(4, 9)
EPOCH_FIGURES = ((6, "clean", 0.78), (6, "conflicting", 0.99), (13, "conflicting", 0.069))
WINDOW_FIGURES = (("clean", 0.43), ("conflicting", 0.55))
BITS = {"nats": 1.0, "bits": 1 / np.log(2)}


def memorization_report(cells: Sequence[Cell], *, comparable: bool) -> pd.DataFrame:
    """The rows of `report_table` for all cells. comparable: whether data and share are the report's."""
    rows = []
    for cell in cells:
        rows += _numbers(cell, comparable)
        rows += _directions(cell)
    return report_table(rows + list(_augmentation(cells)))


def _numbers(cell: Cell, comparable: bool) -> Iterator[dict]:
    told = partial(number, tolerance=TOLERANCE, n=cell.rows, comparable=comparable)
    if cell.key["augmentation"] != "none":
        if cell.key["reading"] == ALL_CLASSES:
            for kind, value in WINDOW_FIGURES:
                ends = cell.window and cell.at(cell.window.end, f"entropy_{kind}")
                how = f"epoch {cell.window.end + 1}, the end of the window" if cell.window else "there is no window"
                yield told(f"mean entropy, {kind}, nats", value, ends, how=f"{how}; {_where(cell)}")
        return
    unit = "nats" if cell.key["reading"] == ALL_CLASSES else "bits"
    for epoch, kind, value in EPOCH_FIGURES:
        ends = _scaled(cell, epoch, kind, BITS[unit]) if epoch <= cell.epochs else None
        how = _where(cell) if ends else f"the training ended before epoch {epoch}; {_where(cell)}"
        yield told(f"epoch {epoch}, mean entropy, {kind}, {unit}", value, ends, how=how)


def _directions(cell: Cell) -> Iterator[dict]:
    told = partial(direction, n=cell.rows)
    early = [epoch - 1 for epoch in EARLY if epoch <= cell.epochs]
    ends = cell.figures.of(partial(_mean_gap, early)) if early else None
    report = 0.21 if cell.key["augmentation"] == "none" else np.nan
    how = f"mean over epochs {EARLY[0]} to {EARLY[-1]}, nats; {_where(cell)}"
    yield told("clean below conflicting: gap of the mean entropies", ends, how=how, report=report)
    last = cell.epochs - 1
    if cell.key["augmentation"] == "none":
        ends = cell.figures.of(partial(_collapse, EARLY[2] - 1, last)) if cell.epochs > EARLY[-1] else None
        how = f"share of the conflicting images' entropy at epoch 6 that is lost at the end; {_where(cell)}"
        lost = 1 - 0.069 / 0.99
        yield told("collapse without augmentation: entropy lost", ends, how=how, report=lost, above=0.5)
        how = f"share of the wrong labels predicted as given at the end; {_where(cell)}"
        yield told("memorization without augmentation", cell.at(last, "memorized"), how=how, above=0.5)
    for signal in ("entropy", "loss"):
        ends = cell.less(f"precision_{signal}", cell.window.peak, last) if cell.window else None
        when = f"epoch {cell.window.peak + 1} less epoch {cell.epochs}" if cell.window else "there is no window"
        yield told(f"intervening at the peak: precision of the {signal} gained", ends, how=f"{when}; {_where(cell)}")


def _augmentation(cells: Sequence[Cell]) -> Iterator[dict]:
    """Without augmentation less with it, where both were trained: rows and seeds are the same, and are drawn alike."""
    without = {_pair(cell): cell for cell in cells if cell.key["augmentation"] == "none"}
    for cell in cells:
        other = without.get(_pair(cell))
        if cell.key["augmentation"] == "none" or other is None:
            continue
        names = column(cell.epochs - 1, "memorized"), column(other.epochs - 1, "memorized")
        drawn = other.figures.draws[names[1]] - cell.figures.draws[names[0]]
        low, high = np.nanquantile(drawn, [0.025, 0.975]) if drawn.notna().any() else (np.nan, np.nan)
        value = other.figures.value[names[1]] - cell.figures.value[names[0]]
        how = f"share memorized at the end without it less with it; {_where(cell)}"
        ends = Interval(float(value), float(low), float(high))
        yield direction("augmentation holds memorization back", ends, cell.rows, how)


def _pair(cell: Cell) -> tuple[str, ...]:
    return cell.key["dataset"], cell.key["model"], cell.key["reading"]


def _scaled(cell: Cell, epoch: int, kind: str, factor: float) -> Interval:
    return cell.figures.of(lambda frame: factor * frame[column(epoch - 1, f"entropy_{kind}")])


def _mean_gap(epochs: Sequence[int], frame: pd.DataFrame) -> np.ndarray:
    gaps = [frame[column(e, "entropy_conflicting")] - frame[column(e, "entropy_clean")] for e in epochs]
    return np.mean(gaps, axis=0)


def _collapse(early: int, last: int, frame: pd.DataFrame) -> np.ndarray:
    return 1 - (frame[column(last, "entropy_conflicting")] / frame[column(early, "entropy_conflicting")]).to_numpy()


def _where(cell: Cell) -> str:
    augmentation = "no augmentation" if cell.key["augmentation"] == "none" else "augmentation"
    seeds = "1 seed" if cell.seeds == 1 else f"{cell.seeds} seeds"
    return f"{cell.key['dataset']}, {cell.key['model']}, {cell.key['reading']}, {augmentation}, {seeds}"

"""The page of the memorization study: the report's figures beside ours, windows, curves, what intervening catches."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.report.reproduced import beside_section, counts_sentence
from anomaly_mlflow.studies.memorization_measures import MEASURES
from anomaly_mlflow.studies.memorization_table import Cell

__all__ = ["memorization_page"]

HOW = (
    "Conflicting labels: a share of the training labels, drawn anew for each seed, is replaced by another class, each"
    " with the same chance, never the true one. The report calls this both symmetric noise over ten classes and dog to"
    " cat: both readings are here, of two classes the label is that of the other.",
    "After every epoch the training images are judged without augmentation and dropout. SGD with momentum, the learning"
    " rate annealed along a cosine, batches of 64 images where nothing else is chosen, a weight decay of 0.0005;"
    " augmentation as the data has it (shift; for colour also mirroring) or none.",
    "The window: an epoch diverges where the mean entropy of conflicting images lies above that of clean ones by more"
    " than chance (one-sided test at 5 %, corrected for the number of epochs); the peak is the epoch of the largest"
    " gap; the window is the unbroken run around it that keeps half of that gap. The spike is the epoch in which the"
    " share of wrong labels predicted as given rises most.",
    "Intervening at the peak: as many images as there are wrong labels are flagged, by entropy or by loss. That there"
    " are so many, and which epoch is the peak, is known here from the truth; who cleans his own data knows neither.",
    "Intervals are 95 % bootstrap intervals over seeds and, within clean and conflicting images each, source groups."
    " Epochs count from 1. Of two classes no entropy exceeds ln 2 = 0.693 nats: the report's 0.78 and 0.99 at epoch 6"
    " can be of two classes in bits alone, or of ten in nats; it says only that they are of its second experiment.",
)


def memorization_page(
    cells: Sequence[Cell],
    windows: pd.DataFrame,
    caught: pd.DataFrame,
    beside: pd.DataFrame,
    curves: pd.DataFrame,
    figures: tuple[Figure, Figure],
    facts: Mapping[str, object],
) -> str:
    """The self-contained page; the frames are those of `studies.memorization_table`; figures: curves, histograms."""
    told = "Lines: mean over seeds; bands: 95 %; grey: the window; dashed: its peak; dotted: the memorization spike."
    spread = "Entropy of clean and conflicting images, each as a share of its own; all seeds together."
    sections = [
        beside_section(beside),
        Section("The window of divergence", [_window(cell) for cell in cells], [(figures[0], told)], windows),
        Section("At the peak and at the end", figures=[(figures[1], spread)]),
        Section("What intervening at the peak would have caught", _caught(caught), table=caught),
        Section("How to read this", HOW),
        Section("All numbers", [f"{name}: {words}." for name, words in MEASURES.items()], table=curves),
    ]
    title = "When wrong labels can be told, and when they are memorized"
    return render_page(title, counts_sentence(beside), sections, facts)


def _window(cell: Cell) -> str:
    where, told = _name(cell.key), _best(cell)
    if cell.window is None:
        return f"{where}: there is no window; at no epoch does entropy tell conflicting images beyond chance. {told}"
    one = cell.window
    end = "" if one.closed else ", where the training ends"
    said = f"{where}: epochs {one.start + 1} to {one.end + 1}{end}; the gap is largest in epoch {one.peak + 1}"
    spike = "no epoch" if cell.spike is None else f"epoch {cell.spike + 1}"
    return f"{said} ({one.gap:.2f} nats). Memorization rises most in {spike}. {told}"


def _best(cell: Cell) -> str:
    (early, loss), (late, entropy) = cell.best("auroc_loss"), cell.best("auroc_entropy")
    return f"The loss tells best in epoch {early} (AUROC {loss:.2f}), the entropy in epoch {late} ({entropy:.2f})."


def _caught(caught: pd.DataFrame) -> list[str]:
    """For each cell, the precision by entropy and by loss at the peak and at the end."""
    said = []
    for key, own in caught.groupby(["dataset", "model", "reading", "augmentation"], sort=False):
        value = own.set_index(["measure", "when"])["value"]
        parts = [
            f"by {signal} {100 * value[f'precision_{signal}', 'peak']:.0f} % of the flagged are wrong at the peak, "
            f"{100 * value[f'precision_{signal}', 'end']:.0f} % at the end"
            for signal in ("entropy", "loss")
        ]
        names = dict(zip(("dataset", "model", "reading", "augmentation"), key, strict=True))
        said.append(f"{_name(names)}: {'; '.join(parts)}.")
    return said or ["There is no window at whose peak to intervene."]


def _name(key: Mapping[str, str]) -> str:
    augmentation = "without augmentation" if key["augmentation"] == "none" else "with augmentation"
    return f"{key['dataset']}, {key['model']}, {key['reading']}, {augmentation}"

"""What a model is trained on to see what cleaning gained: the cleaned labels, and what they are compared with."""

from dataclasses import replace

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.base import Cleaned, find_cleaner
from anomaly_mlflow.cleaning.repair import repaired_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import UnknownName

__all__ = [
    "OF_CLEANER",
    "RELABELLED",
    "VARIANTS",
    "after_random_removal",
    "certain_labels",
    "check_variant",
    "of_cleaner",
    "with_labels",
    "with_true_labels",
]

VARIANTS = {
    "given": "labels as given",
    "cleaned": "repaired labels",
    "certain": "repaired labels, without those that are set aside; a class that this would empty stays whole",
    "oracle": "true labels, without images of no class",
    "random_removal": "labels as given, without as many random images as `certain` does without",
}
KEPT, RELABELLED = "kept", "relabelled"
OF_CLEANER = {
    KEPT: "labels as given, without those that this cleaner does not keep; a class that it would empty stays whole",
    RELABELLED: "all labels as this cleaner would write them",
}
"""Variants of one cleaner alone: `kept:CLEANER`, `relabelled:CLEANER`."""


def check_variant(variant: str) -> None:
    """Raises UnknownName for a variant, or the cleaner of one, that there is not."""
    kind, mark, name = variant.partition(":")
    if mark and kind in OF_CLEANER:
        find_cleaner(name)
    elif variant not in VARIANTS:
        raise UnknownName("variant", variant, [*VARIANTS, *(f"{one}:CLEANER" for one in OF_CLEANER)])


def of_cleaner(samples: Samples, kind: str, cleaned: Cleaned) -> Samples:
    """The samples as one cleaner would have them; kind: `kept` or `relabelled`."""
    if kind == RELABELLED:
        return replace(samples, labels=cleaned.labels)
    return _taken(samples, cleaned.kept)


def with_labels(samples: Samples, frame: pd.DataFrame) -> Samples:
    """The samples with their repaired labels; frame: as `repairs` gives it, of these samples in their order."""
    return replace(samples, labels=repaired_labels(frame))


def certain_labels(samples: Samples, frame: pd.DataFrame) -> Samples:
    """The samples with their repaired labels, without those set aside; frame: as `with_labels`."""
    return _taken(with_labels(samples, frame), ~frame["set_aside"].to_numpy())


def with_true_labels(samples: Samples, true_label: np.ndarray) -> Samples:
    """The samples that show a class, with its label; true_label: int64 (n,), -1 for images of no class."""
    shown = true_label >= 0
    return replace(samples, labels=np.where(shown, true_label, samples.labels)).take(shown)


def after_random_removal(samples: Samples, number: int, seed: int) -> Samples:
    """The samples without so many of them, drawn by the seed; of every class one stays."""
    order = np.random.default_rng([seed, 11]).permutation(len(samples))
    stays = np.unique(samples.labels[order], return_index=True)[1]
    removed = np.delete(order, stays)[:number]
    return samples.take(~np.isin(np.arange(len(samples)), removed))


def _taken(samples: Samples, kept: np.ndarray) -> Samples:
    """The rows that are kept, and all of a class of which none is."""
    emptied = np.setdiff1d(samples.labels, samples.labels[kept])
    return samples.take(kept | np.isin(samples.labels, emptied))

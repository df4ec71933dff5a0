"""From the options of `memorization` to its cells, and to the options of each cell's runs."""

from dataclasses import dataclass

from anomaly_mlflow.data.listing import list_source
from anomaly_mlflow.data.two_classes import default_pair, named_pair
from anomaly_mlflow.models import find
from anomaly_mlflow.studies.memorization_claims import ALL_CLASSES
from entry_points.trained import check_pretrained

__all__ = ["MemorizationCell", "cells_of", "check_memorization", "options_of"]


@dataclass(frozen=True)
class MemorizationCell:
    """What is trained once for each seed. pair: the two classes, None: all of them; augmentation: as the option."""

    model: str
    pair: tuple[str, str] | None
    augmentation: str | None

    @property
    def key(self) -> dict[str, str]:
        """Model, reading and augmentation (`none`, or its kind; `auto`: the data's own)."""
        reading = f"{self.pair[0]} against {self.pair[1]}" if self.pair else ALL_CLASSES
        return {"model": self.model, "reading": reading, "augmentation": self.augmentation or "auto"}


def cells_of(options: dict) -> list[MemorizationCell]:
    """Every model, reading and augmentation once; of a set with two classes both readings are the same.

    Raises UnknownName for a model or a class, BadOption for a pair that is none.
    """
    models = list(dict.fromkeys(name.strip() for name in options["models"].split(",")))
    for name in models:
        find(name)
    classes = list_source(options["dataset"]).classes
    pair = named_pair(options["pair"], classes) if options["pair"] else default_pair(classes)
    readings = [None, pair] if len(classes) > 2 else [None]
    augmentations = list(dict.fromkeys([options["augmentation"], "none"]))
    return [MemorizationCell(*each) for each in _product(models, readings, augmentations)]


def options_of(cell: MemorizationCell, options: dict) -> list[dict]:
    """The options of the cell's `conflicting_labels` runs, one for each seed."""
    two = ",".join(cell.pair) if cell.pair else None
    changes = {"model": cell.model, "two_classes": two, "augmentation": cell.augmentation}
    first = options["training_seed"]
    return [options | changes | {"training_seed": first + number} for number in range(options["seeds"])]


def check_memorization(options: dict) -> None:
    """Raises as `cells_of` does, and BadOption where `pretrained` is asked of a model without published weights."""
    for cell in cells_of(options):
        check_pretrained(options | {"model": cell.model})


def _product(models: list, readings: list, augmentations: list) -> list[tuple]:
    return [(one, reading, kind) for one in models for reading in readings for kind in augmentations]

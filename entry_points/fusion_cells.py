"""From the options of `fusion_conflict` to its cells, and to the options of each cell's runs."""

import click

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.studies.fusion_grid import FACTORS, Cell, grid
from entry_points.fusion import check_encoder
from entry_points.options import OPTIONS

__all__ = ["LEVELS", "cells_of", "check_fusion", "options_of"]

LEVELS = {f"{name}s": name for name in FACTORS}
"""Option that lists levels -> the option of one training that they are levels of."""


def cells_of(options: dict) -> list[Cell]:
    """All cells, the plain training first. Raises BadOption for what is no list of levels."""
    return grid({name: _levels(text, options[text], OPTIONS[name].type) for text, name in LEVELS.items()})


def options_of(cell: Cell, options: dict) -> list[dict]:
    """The options of the cell's `fusion` runs, one for each seed."""
    first = options["training_seed"]
    return [options | cell.settings | {"training_seed": first + number} for number in range(options["seeds"])]


def check_fusion(options: dict) -> None:
    """Raises BadOption for lists and encoders that make no sense."""
    cells_of(options)
    check_encoder(options)


def _levels(name: str, text: str, kind: click.ParamType) -> list[float]:
    try:
        return [kind.convert(part.strip(), None, None) for part in text.split(",")]
    except click.BadParameter as error:
        raise BadOption(f"{name}={text} is no list of levels: {error.message}") from None

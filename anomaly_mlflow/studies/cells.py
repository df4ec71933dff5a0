"""The cells of the study: the primary one, fixed in the code, and what is varied around it, one factor at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from anomaly_mlflow.errors import UnknownName

__all__ = ["AS_ASKED", "PRIMARY", "Cell", "cells_around", "chosen_cells", "is_primary", "source_cell"]

ALL = ("H1", "H2", "H3")


@dataclass(frozen=True)
class Cell:
    """One way of making the study.

    factor: what is varied; sentence: what that means, in plain words; changes: options and their values, all else as in
    the primary cell; claims: those that it bears upon; needs: options without which it cannot be made; trains_once: the
    claims rest on the clean side alone, so that one seed of the noisy model suffices.
    """

    name: str
    factor: str
    sentence: str
    changes: Mapping[str, object] = field(default_factory=dict)
    claims: tuple[str, ...] = ALL
    needs: tuple[str, ...] = ()

    @property
    def trains_once(self) -> bool:
        """Whether its claims rest on the clean side alone, which all seeds of the noisy model share."""
        return self.claims == ("H1",)


PRIMARY = Cell(
    "primary",
    "primary",
    "Hard images are those of the lowest out-of-fold margin, near misses are drawn from all images, class pairs are"
    " those of the literature where they are known, images of no class bear random labels.",
    {
        "hard_by": "margin",
        "near_miss_from": "any",
        "near_table": "auto",
        "gross_table": "auto",
        "ood_label": "random",
    },
)
AS_ASKED = Cell("as_asked", "as asked", "The study with the options as they were typed; it is not the primary one.")


def is_primary(options: Mapping[str, object]) -> bool:
    """Whether these options leave everything as the primary cell has it."""
    return all(options[name] == value for name, value in PRIMARY.changes.items())


def cells_around(model: str, ood: str) -> list[Cell]:
    """The sensitivity cells of a study of this model with images of no class from these sources (`A|B|C`).

    Where there are several sources, they are told apart afterwards (`source_cell`), without another training.
    """
    other = "resnet20" if model == "convnet" else "convnet"
    changes = {"model": other, "pretrained": "no"}
    return [
        _hard("boundary", "Hard images are those nearest to the boundary, out-of-fold margin 0."),
        _hard("raters", "Hard images are those on which people differ while most of them are right.", "raters"),
        Cell(
            "near_miss_from=hard_quantile",
            "difficulty of near misses",
            "Near misses and hard images are drawn from one pool of the hardest images: difficulty does not tell them"
            " apart.",
            {"near_miss_from": "hard_quantile"},
        ),
        _tables("embedding", "Class pairs are the nearest and the farthest classes in a model's embedding."),
        _tables("human", "Class pairs are those that people confuse most and least.", "confusion"),
        _label("single", "Images of no class bear one label, all the same."),
        _label("kept", "Images of no class bear the label of the image that they replaced."),
        *_sources(ood),
        Cell(f"model={other}", "model", f"The model under study is {other}.", changes),
    ]


def source_cell(name: str) -> Cell:
    """The primary cell with the images of no class that are from this source alone; nothing is trained for it."""
    said = f"Of the images of no class only those from {name} are judged."
    return Cell(f"ood_source={name}", "source of images of no class", said, claims=("H1",))


def chosen_cells(names: str, cells: Iterable[Cell]) -> list[Cell]:
    """The cells of these names, separated by commas, or `all`; the primary one is always there and may be named.

    Raises UnknownName.
    """
    known = {cell.name: cell for cell in cells}
    if names == "all":
        return list(known.values())
    wanted = [name for name in names.split(",") if name != PRIMARY.name]
    for name in wanted:
        if name not in known:
            raise UnknownName("cell", name, [PRIMARY.name, *known])
    return [cell for cell in known.values() if cell.name in wanted]


def _hard(rule: str, sentence: str, *needs: str) -> Cell:
    return Cell(f"hard_by={rule}", "definition of hard", sentence, {"hard_by": rule}, needs=needs)


def _tables(table: str, sentence: str, *needs: str) -> Cell:
    changes = {"near_table": table, "gross_table": table}
    return Cell(f"tables={table}", "class pairs", sentence, changes, needs=needs)


def _label(policy: str, sentence: str) -> Cell:
    return Cell(f"ood_label={policy}", "label of images of no class", sentence, {"ood_label": policy}, ("H1",))


def _sources(ood: str) -> list[Cell]:
    if "|" in ood:
        return []
    other = "shuffled_patches" if ood == "noise" else "noise"
    said = f"Images of no class are {other.replace('_', ' ')}."
    return [Cell(f"ood={other}", "source of images of no class", said, {"ood": other}, ("H1",))]

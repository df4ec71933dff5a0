"""From a cell to the options of its study."""

from collections.abc import Iterator

from anomaly_mlflow.studies.cells import AS_ASKED, PRIMARY, Cell, cells_around, chosen_cells, is_primary
from anomaly_mlflow.studies.claims import find_claims, signals_of
from entry_points.named_runs import all_needs, is_default
from entry_points.options import RUNTIME_ONLY
from entry_points.step import STEPS

__all__ = ["cells_of", "missing", "options_of", "scaled"]

SMALL = {
    "subset": 600,
    "model": "convnet",
    "epochs": 6,
    "baseline_epochs": 4,
    "baseline_folds": 2,
    "folds": 3,
    "seeds": 2,
    "passes": 10,
    "draws": 500,
}
# Option -> the values of others that call for it; handed only to the cells that have one of them.
PEOPLE = {
    "raters": {"hard_by": "raters"},
    "confusion": {"near_table": "human", "gross_table": "human", "convention": "human_confusion"},
}


def scaled(options: dict) -> dict:
    """With scale=small the caps above in place of what was not typed."""
    caps = SMALL if options["scale"] == "small" else {}
    return options | {name: cap for name, cap in caps.items() if is_default(name, options[name])}


def cells_of(options: dict) -> list[Cell]:
    """The cell as asked, where that is not the primary one, the primary one, and the sensitivity cells chosen."""
    first = [PRIMARY] if is_primary(options) else [AS_ASKED, PRIMARY]
    around = cells_around(options["model"], options["ood"])
    return [*first, *chosen_cells(options["cells"], around)]


def missing(cell: Cell, options: dict) -> list[str]:
    """The options that the cell needs and that were not given."""
    return [name for name in cell.needs if not options[name]]


def options_of(cell: Cell, options: dict) -> dict:
    """The options of the cell's `judge` run: as in the primary cell but for its changes, and nothing it does not need.

    Named runs stay where the cell changes nothing that they were made with. Only the signals of the arms are extracted
    unless others were typed.
    """
    base = {} if cell == AS_ASKED else PRIMARY.changes
    made = options | dict(base) | dict(cell.changes)
    for name in _changed_steps({key for key in made if made[key] != options[key]}):
        made[STEPS[name].run_option] = None
    made |= {name: None for name, users in PEOPLE.items() if not any(made[key] == users[key] for key in users)}
    if cell.trains_once:
        made |= {"claims": ",".join(cell.claims), "seeds": 1}
    if is_default("signals", made["signals"]) and not made["features_run"]:
        made["signals"] = ",".join(signals_of(find_claims(made["claims"])))
    return made


def _changed_steps(changed: set[str]) -> Iterator[str]:
    """The steps below `judge` that have a run option and would come out otherwise."""
    for name in all_needs(STEPS["judge"]):
        if STEPS[name].run_option and set(STEPS[name].options) & changed - RUNTIME_ONLY:
            yield name

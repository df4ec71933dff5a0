"""From the options of `glitches` to its cells, and to the options of each cell's runs."""

from functools import cache

from anomaly_mlflow.data.listing import list_source
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.models import find
from anomaly_mlflow.studies.glitch_grid import PAPER, Cell, Data, chosen_ablations, chosen_glitches, grid
from entry_points.named_runs import is_default
from entry_points.trained import check_pretrained

__all__ = ["cells_of", "check_glitches", "options_of", "scaled"]

TENTH = 10


def scaled(options: dict) -> dict:
    """With grid=paper its values in place of what was not typed."""
    if options["grid"] != "paper":
        return options
    paper = {
        "datasets": "|".join(PAPER["datasets"]),
        "models": ",".join(PAPER["models"]),
        "ablations": ",".join(PAPER["ablations"]),
        "seeds": PAPER["seeds"],
    }
    return options | {name: value for name, value in paper.items() if is_default(name, options[name])}


def cells_of(options: dict) -> list[Cell]:
    """All cells of scaled options. Raises UnknownName for a glitch, model or ablation, BadOption for odd lists."""
    models = list(dict.fromkeys(name.strip() for name in options["models"].split(",")))
    for name in models:
        find(name)
    ratio = options["glitch_ratio"]
    return grid(
        _data(options), models, chosen_glitches(options["glitches"]), ratio, chosen_ablations(options["ablations"])
    )


def options_of(cell: Cell, options: dict) -> list[dict]:
    """The options of the cell's `glitch` runs, one for each seed."""
    subset = options["subset"]
    if subset is None and options["grid"] == "paper":
        subset = _rows(cell.data.dataset) // TENTH
    changes = {
        "dataset": cell.data.dataset,
        "test": cell.data.test,
        "subset": subset,
        "anomalies": cell.data.foreign,
        "model": cell.model,
        "glitch": cell.glitch,
        "glitch_ratio": cell.ratio,
        "reference_noise": cell.reference_noise,
    }
    first = options["training_seed"]
    return [options | changes | {"training_seed": first + number} for number in range(options["seeds"])]


@cache
def _rows(dataset: str) -> int:
    return len(list_source(dataset).labels)


def check_glitches(options: dict) -> None:
    """Raises as `cells_of` does, and BadOption where `pretrained` is asked of a model without published weights."""
    for cell in cells_of(scaled(options)):
        check_pretrained(options | {"model": cell.model})


def _data(options: dict) -> list[Data]:
    datasets = options["datasets"].split("|")
    if len(set(datasets)) < len(datasets):
        raise BadOption(f"datasets names a source twice: '{options['datasets']}'; name each once")
    lists = {name: _one_each(name, options[name], datasets) for name in ("tests", "anomalies")}
    return [Data(*each) for each in zip(datasets, lists["tests"], lists["anomalies"], strict=True)]


def _one_each(name: str, text: str | None, datasets: list[str]) -> list[str | None]:
    if text is None:
        return [None] * len(datasets)
    if len(found := text.split("|")) != len(datasets):
        raise BadOption(f"{name} names {len(found)} sources and datasets {len(datasets)}; name one for each")
    return found

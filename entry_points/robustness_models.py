"""From the options of `robustness` to those of its runs: one a seed of a baseline, one a registered model."""

import json

from anomaly_mlflow.anomalies.graded_corruptions import chosen_corruptions
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models import find
from anomaly_mlflow.tracking.registry import model_folder, pinned_model, run_of_model
from anomaly_mlflow.tracking.run import Run
from entry_points.trained import check_pretrained

__all__ = ["check_robustness", "names_of", "variants_of"]

REGISTERED = "models:/"


def names_of(options: dict) -> list[str]:
    """The models, each once: those to be trained by name, registered ones as models:/NAME/VERSION.

    Raises UnknownName, RunNotFound.
    """
    names = list(dict.fromkeys(name.strip() for name in options["models"].split(",")))
    for name in names:
        if not name.startswith(REGISTERED):
            find(name)
    return list(dict.fromkeys(pinned_model(name) if name.startswith(REGISTERED) else name for name in names))


def variants_of(name: str, options: dict) -> list[dict]:
    """The options of a model's `decay_curves` runs."""
    first = options["training_seed"]
    if name.startswith(REGISTERED):
        return [options | {"model": _architecture(name), "registered": name, "training_seed": first}]
    seeds = range(first, first + options["seeds"])
    return [options | {"model": name, "registered": None, "training_seed": seed} for seed in seeds]


def check_robustness(options: dict) -> None:
    """Raises what `names_of` raises, UnknownName for a corruption, BadOption for `pretrained` without weights."""
    chosen_corruptions(options["corruptions"])
    for name in names_of(options):
        if not name.startswith(REGISTERED):
            check_pretrained(options | {"model": name})


def _architecture(name: str) -> str:
    """The name of the model's body. Raises BadData where its folder does not say it."""
    folder = model_folder(Run(run_of_model(name)))
    try:
        return str(json.loads((folder / "architecture.json").read_text())["name"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise BadData(f"{name} is no model folder ({error!r}); name a model of train_clean or train_noisy") from None

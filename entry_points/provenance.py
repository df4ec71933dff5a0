"""What a run is made from, as one digest."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from anomaly_mlflow.anomalies.strangers import strangers_digest
from anomaly_mlflow.data.human_labels import human_labels_digest
from anomaly_mlflow.data.sources import digest
from anomaly_mlflow.models.frozen import frozen_digest
from anomaly_mlflow.signals import SIGNALS
from anomaly_mlflow.signals.plugins import plugin_digests
from anomaly_mlflow.tracking.fingerprint import fingerprint, imported_sources
from anomaly_mlflow.tracking.registry import run_of_model
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.device import has_bfloat16
from entry_points.named_runs import all_needs
from entry_points.options import NAMED_RUNS, RUNTIME_ONLY, as_typed
from entry_points.recordings import recording_digest
from entry_points.step import STEPS, Step

__all__ = ["request", "source_digest", "step_fingerprint"]

ROOT = Path(__file__).resolve().parent.parent
DIGESTS = {
    "dataset": digest,
    "test": digest,
    "datasets": strangers_digest,
    "tests": strangers_digest,
    "anomalies": strangers_digest,
    "ood": strangers_digest,
    "labels": human_labels_digest,
    "raters": human_labels_digest,
    "confusion": human_labels_digest,
    "checked": human_labels_digest,
    "geometry_encoder": frozen_digest,
    "recording": recording_digest,
    "registered": run_of_model,
    "reference": digest,
    "batch": strangers_digest,
}


@cache
def source_digest(module: str) -> str:
    """Digest of the source files that a module imports, as they were at the first call."""
    return fingerprint(list(imported_sources(module, ROOT)), {})


def request(step: Step, options: dict) -> dict[str, dict]:
    """What a command asks for, before the runs upstream are known: JSON values, whose digest is its name.

    Raises what a data source that cannot be read raises.
    """
    names = [name for name in step.options if name in NAMED_RUNS or name not in RUNTIME_ONLY]
    steps = (step.name, *all_needs(step))
    return {
        "code": {name: source_digest(STEPS[name].function.__module__) for name in steps},
        "plugins": _plugins(step.options),
        "options": as_typed(options, names),
        "data": _data(options, names),
        "device": {"bfloat16": _bfloat16(step.options, options)},
    }


def step_fingerprint(step: Step, options: dict, upstream: dict[str, list[str]]) -> str:
    """Digest of a step's code, its own options, the data that they name, and the content of the runs upstream.

    Device and number of processes stay out; whether the device has bfloat16 does not: it decides the precision.
    """
    values = {name: options[name] for name in step.own if name not in RUNTIME_ONLY}
    content = {name: [Run(one).tags.get("anomaly.content", one) for one in ids] for name, ids in upstream.items()}
    made_from = {
        "code": source_digest(step.function.__module__),
        "plugins": _plugins(step.own),
        "options": values,
        "data": _data(options, values) | _detector(values),
        "bfloat16": _bfloat16(step.own, options),
        "upstream": content,
    }
    return fingerprint([], made_from)


def _plugins(names: Iterable[str]) -> dict[str, str]:
    return plugin_digests(SIGNALS) if "signals" in names else {}


def _data(options: dict, names: Iterable[str]) -> dict[str, str]:
    return {name: DIGESTS[name](options[name]) for name in names if name in DIGESTS and options[name]}


def _detector(values: dict) -> dict[str, str]:
    """The run of a registered detector: what its alias means moves."""
    name = values.get("detector", "types")
    return {} if name == "types" else {"detector": run_of_model(name)}


def _bfloat16(names: Iterable[str], options: dict) -> bool:
    return "device" in names and has_bfloat16(options["device"])

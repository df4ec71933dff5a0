"""What a run is made from, as one digest."""

from functools import cache
from pathlib import Path

from anomaly_mlflow.anomalies.strangers import strangers_digest
from anomaly_mlflow.data.human_labels import human_labels_digest
from anomaly_mlflow.data.sources import digest
from anomaly_mlflow.models.frozen import frozen_digest
from anomaly_mlflow.signals import SIGNALS
from anomaly_mlflow.signals.plugins import plugin_digests
from anomaly_mlflow.tracking.fingerprint import fingerprint, imported_sources
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.device import has_bfloat16
from entry_points.options import RUNTIME_ONLY
from entry_points.step import Step

__all__ = ["source_digest", "step_fingerprint"]

ROOT = Path(__file__).resolve().parent.parent
DIGESTS = {
    "dataset": digest,
    "test": digest,
    "ood": strangers_digest,
    "labels": human_labels_digest,
    "raters": human_labels_digest,
    "confusion": human_labels_digest,
    "geometry_encoder": frozen_digest,
}


@cache
def source_digest(module: str) -> str:
    """Digest of the source files that a module imports, as they were at the first call."""
    return fingerprint(list(imported_sources(module, ROOT)), {})


def step_fingerprint(step: Step, options: dict, upstream: dict[str, list[str]]) -> str:
    """Digest of a step's code, its own options, the data that they name, and the content of the runs upstream.

    Device and number of processes stay out; whether the device has bfloat16 does not: it decides the precision.
    """
    values = {name: options[name] for name in step.own if name not in RUNTIME_ONLY}
    data = {name: of(values[name]) for name, of in DIGESTS.items() if values.get(name)}
    plugins = plugin_digests(SIGNALS) if "signals" in step.own else {}
    content = {name: [Run(one).tags.get("anomaly.content", one) for one in ids] for name, ids in upstream.items()}
    made_from = {
        "code": source_digest(step.function.__module__),
        "plugins": plugins,
        "options": values,
        "data": data,
        "bfloat16": "device" in step.own and has_bfloat16(options["device"]),
        "upstream": content,
    }
    return fingerprint([], made_from)

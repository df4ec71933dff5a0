"""Known errors planted among labels whose own errors are not known: they show what errors look like in this set.

No truth is needed: a row's given label stands for the true one. It may be wrong already, so that a probe may come out
right by accident; rows are therefore drawn in proportion to how well models of other folds support their label.
"""

from dataclasses import replace

import numpy as np

import anomaly_mlflow.anomalies.labels
import anomaly_mlflow.anomalies.strangers  # noqa: F401  (both register injectors)
from anomaly_mlflow.anomalies.injector import INJECTORS, Host, generator, row_uniform
from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.on_disk import copied
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption

__all__ = ["INSTANCE", "PROBES", "instance_dependent", "plant_label_probes", "support"]

INSTANCE = "instance_dependent"
PROBES = (
    AnomalyType.NEAR_MISS,
    AnomalyType.GROSS,
    AnomalyType.RANDOM_FLIP,
    INSTANCE,
    AnomalyType.OOD,
)
"""The kinds of probe, in the order in which they are drawn: those that not every class can take come first."""


def plant_label_probes(
    samples: Samples, probabilities: np.ndarray, tables: Tables, strangers_spec: str, each: int, seed: int
) -> tuple[Samples, np.ndarray]:
    """The samples with `each` probes of every kind in them, and the kind of every row, str (n,), "" = untouched.

    probabilities: float (n, C), of models of other folds on the given labels. Label probes change the label alone, OOD
    probes the image too and bear a random label. Raises BadOption where the rows do not suffice.
    """
    host = Host(samples, tables, strangers_spec, "random", seed)
    arrays = {"images": copied(samples.images), "labels": samples.labels.copy(), "groups": samples.groups.copy()}
    kinds = np.full(len(samples), "", dtype=object)
    supported = support(probabilities, samples.labels)
    weights = {INSTANCE: supported * np.sqrt(1 - probabilities[np.arange(len(samples)), samples.labels])}
    for kind in PROBES:
        rows = _drawn(host, kind, weights.get(kind, supported) * (kinds == ""), each)
        kinds[rows] = str(kind)
        if kind == INSTANCE:
            arrays["labels"][rows] = instance_dependent(host, probabilities, rows)
            continue
        change = INJECTORS[kind].apply(host, rows)
        arrays["labels"][rows] = change.labels
        if change.images is not None:
            arrays["images"][rows], arrays["groups"][rows] = change.images, change.groups
    return replace(samples, **arrays), kinds


def instance_dependent(host: Host, probabilities: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Labels int64 (m,) drawn for each row from its own probabilities without the given label: the errors that are
    easily made on this very image (after Xia et al. 2020, NeurIPS, with a model in place of random projections).

    People err on unclear images first: `plant_label_probes` draws the rows in proportion to support * sqrt(1 - p_y),
    the power chosen on CIFAR-10N `aggregate` (docs/human-noise.md).
    """
    p = probabilities[rows].astype(np.float64) + 1e-12
    p[np.arange(len(rows)), host.samples.labels[rows]] = 0
    ladder = np.cumsum(p, axis=1)
    drawn = row_uniform(host, INSTANCE)[rows] * ladder[:, -1]
    return (drawn[:, None] >= ladder).sum(axis=1)


def support(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probability of the given label over that of the most probable class, float64 (n,), in 0..1."""
    return probabilities[np.arange(len(labels)), labels] / probabilities.max(axis=1)


def _drawn(host: Host, kind: str, weight: np.ndarray, each: int) -> np.ndarray:
    free = weight * (INJECTORS[kind].eligible(host) if kind in INJECTORS else True)
    if (free > 0).sum() < each:
        raise BadOption(f"{each} {kind} probes are more than the {(free > 0).sum()} rows left; lower probe_share")
    chosen = generator(host.seed, str(kind), "probes").choice(len(free), each, replace=False, p=free / free.sum())
    return np.sort(chosen)

"""A plan -> the samples with anomalies in them, and the ledger of what was done."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

import anomaly_mlflow.anomalies.labels
import anomaly_mlflow.anomalies.strangers  # noqa: F401  (both register injectors)
from anomaly_mlflow.anomalies.conventions import find_convention
from anomaly_mlflow.anomalies.injector import INJECTORS, Change, Host, generator
from anomaly_mlflow.anomalies.plan import Plan, check_plan
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.on_disk import copied
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption

__all__ = ["ORDER", "inject"]

# Types that not every class can take draw first.
ORDER = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP, AnomalyType.OOD)


def inject(samples: Samples, plan: Plan) -> tuple[Samples, pd.DataFrame]:
    """Samples with round(share * n) rows of each type, and the ledger, one row a sample in the same order.

    samples.labels count as true. Hard rows and those whose human label is wrong stay as they are; all others are
    eligible, near_miss and gross only where the table has a partner for the class.
    Ledger: sample_id, anomaly_type, true_label (int64, -1 for ood), given_label (int64), source (str, "" for clean),
    severity (float64: 0 for clean, 1 for the rest, none of the types being graded).
    Raises BadOption where shares do not fit or rows run out, UnknownName for a type, policy or convention, BadData for
    arrays that do not fit.
    """
    check_plan(plan, samples.labels, samples.num_classes)
    host = Host(samples, plan.tables, plan.strangers_spec, plan.ood_label, plan.seed, plan.eta)
    given = samples.labels if plan.given is None else plan.given
    arrays = {"images": copied(samples.images), "labels": given.copy(), "groups": samples.groups.copy()}
    wrong = given != samples.labels
    ledger = _start_ledger(samples, plan, wrong)
    for kind, rows, change in _changes(host, plan, ~plan.hard & ~wrong):
        arrays["labels"][rows] = change.labels
        if change.images is not None:
            arrays["images"][rows], arrays["groups"][rows] = change.images, change.groups
            ledger["true_label"][rows] = -1
        ledger["anomaly_type"][rows], ledger["source"][rows], ledger["severity"][rows] = kind.value, change.sources, 1.0
    frame = pd.DataFrame(ledger).astype({"anomaly_type": "str", "source": "str"})
    frame.insert(3, "given_label", arrays["labels"])
    return replace(samples, **arrays), frame


def _changes(host: Host, plan: Plan, free: np.ndarray) -> Iterator[tuple[AnomalyType, np.ndarray, Change]]:
    free = free.copy()
    if plan.convention:
        convention = find_convention(plan.convention)
        rows, labels = convention.apply(host, plan.convention_rate, free)
        really = labels != host.samples.labels[rows]
        rows, labels = rows[really], labels[really]
        free[rows] = False
        source = f"convention {plan.convention} at rate {plan.convention_rate:g}"
        yield convention.kind, rows, Change(labels, [source] * len(rows))
    for kind in ORDER:
        number = round(plan.shares.get(kind, 0.0) * len(free))
        if number:
            among = free if kind != AnomalyType.NEAR_MISS or plan.near_miss_among is None else plan.near_miss_among
            rows = _rows(host, kind, number, free & among)
            free[rows] = False
            yield kind, rows, INJECTORS[kind].apply(host, rows)


def _rows(host: Host, kind: AnomalyType, number: int, free: np.ndarray) -> np.ndarray:
    # Each type walks through all rows in an order of its own: another's share changes only which are taken.
    order = generator(host.seed, kind, "rows").permutation(len(free))
    eligible = order[(free & INJECTORS[kind].eligible(host))[order]]
    if len(eligible) < number:
        raise BadOption(f"{kind} needs {number} rows and {len(eligible)} are eligible; lower its share or another's")
    return np.sort(eligible[:number])


def _start_ledger(samples: Samples, plan: Plan, wrong: np.ndarray) -> dict[str, np.ndarray]:
    marks = [plan.hard, wrong]
    return {
        "sample_id": samples.sample_id,
        "anomaly_type": np.select(marks, [AnomalyType.HARD, AnomalyType.HUMAN_ERROR], AnomalyType.CLEAN).astype(object),
        "true_label": samples.labels.copy(),
        "source": np.select(marks, [f"selected by {plan.hard_by}", plan.given_source], "").astype(object),
        "severity": (plan.hard | wrong).astype(np.float64),
    }

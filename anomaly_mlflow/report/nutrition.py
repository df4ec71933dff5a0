"""A data set's nutrition label: what is in it, where it is from, and how much of it is likely wrong.

After Holland et al. (2018), The Dataset Nutrition Label: provenance, variables, statistics, a model of the labels, and
correlations, here of image sets. What nobody knows is named under `unknown`, and is null in its place.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.studies.agreement import Agreement, agreement

__all__ = ["LICENCES", "NOT_STATED", "nutrition"]

LICENCES = {"fashion_mnist": "MIT"}
"""Source -> licence, where its publisher states one; a file of the same name may be another's."""
NOT_STATED = "not stated"

Label = dict[str, object]


def nutrition(
    samples: Samples,
    source: str,
    *,
    sha256: str | None = None,
    licence: str | None = None,
    part: Mapping[str, object] | None = None,
    injected: Mapping[str, object] | None = None,
    rates: Mapping[str, Interval] | None = None,
    joint: np.ndarray | None = None,
    raters: np.ndarray | None = None,
    features: pd.DataFrame | None = None,
    signals: Sequence[str] = (),
) -> Label:
    """The label as JSON values. samples: with the given labels; source: its spec.

    sha256: digest of the data; part: which of it the samples are (name -> value); injected: what was put in (name ->
    value); rates: type -> estimated share of rows.
    joint: float (C, C), rows given, columns estimated true class, counts (the calibrated confident joint).
    raters: int64 (k, n), what k people said; features: a table with the columns `signals`.
    Raises BadData where a table does not fit.
    """
    counts = np.bincount(samples.labels, minlength=samples.num_classes)
    label: Label = {
        "name": samples.name,
        "provenance": {
            "source": source,
            "sha256": sha256,
            "licence": licence or LICENCES.get(source, NOT_STATED),
            "part": {key: _plain(value) for key, value in (part or {}).items()},
            "injected": None if injected is None else {key: _plain(value) for key, value in injected.items()},
        },
        "data": {
            "rows": len(samples),
            "classes": samples.num_classes,
            "height": samples.image_shape[0],
            "width": samples.image_shape[1],
            "channels": samples.image_shape[2],
            "source_groups": len(np.unique(samples.groups)),
            "largest_over_smallest_class": float(counts.max() / counts.min()) if counts.min() else None,
        },
        "classes": _classes(samples, counts, joint),
        "rates": None if rates is None else {str(kind): _ends(one) for kind, one in rates.items()},
        "confident_joint": None if joint is None else _joint(joint),
        "people": None if raters is None else _people(agreement(raters, samples.labels, samples.num_classes)),
        "correlations": None if features is None else _correlations(features, signals),
    }
    label["unknown"] = [*_unknown("provenance.", label["provenance"]), *_unknown("", label)]
    return label


def _classes(samples: Samples, counts: np.ndarray, joint: np.ndarray | None) -> list[Label]:
    if joint is not None and (joint.shape != (len(counts), len(counts)) or not (joint >= 0).all()):
        raise BadData(f"the confident joint must be {len(counts)} x {len(counts)} counts, not {joint.shape}")
    wrong = np.full(len(counts), np.nan)
    if joint is not None:
        total = joint.sum(axis=1)
        np.divide(total - np.diag(joint), total, out=wrong, where=total > 0)
    rows = zip(samples.classes, counts.tolist(), wrong, strict=True)
    return [
        {"class": name, "rows": count, "share": count / len(samples), "estimated_wrong": _plain(part)}
        for name, count, part in rows
    ]


def _joint(joint: np.ndarray) -> Label:
    return {"counts": joint.astype(float).tolist(), "off_diagonal": float(1 - np.trace(joint) / joint.sum())}


def _people(found: Agreement) -> Label:
    shares = ("unanimous", "majority_given", "all_differ")
    return {
        "raters": found.raters,
        **{name: _ends(getattr(found, name)) for name in shares},
        "fleiss_kappa": _plain(found.kappa),
        "unanimous_by_class": [_plain(value) for value in found.by_class],
    }


def _correlations(features: pd.DataFrame, signals: Sequence[str]) -> Label:
    """Spearman's rank correlation of each pair of columns; null where one is constant."""
    missing = [name for name in signals if name not in features.columns]
    if missing or len(signals) < 2:
        raise BadData(f"correlations need two columns of the features or more; missing: {', '.join(missing) or 'none'}")
    values = features[list(signals)].corr(method="spearman").to_numpy()
    return {"signals": list(signals), "spearman": [[_plain(value) for value in row] for row in values]}


def _unknown(prefix: str, part: Mapping[str, object]) -> list[str]:
    return [f"{prefix}{name}" for name, value in part.items() if value is None or value == NOT_STATED]


def _ends(one: Interval) -> Label:
    return {"value": _plain(one.value), "low": _plain(one.low), "high": _plain(one.high)}


def _plain(value: object) -> object:
    """A JSON value: a number that is none is null."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value

"""What cleaners say of every label, and what was repaired, as tables, and back."""

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning import Cleaned
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.run import Run

__all__ = ["log_cleaned", "read_cleaned", "read_repairs"]

FILE = "cleaners.parquet"
REPAIRS = {
    "sample_id": int,
    "given": int,
    "suggested": int,
    "confidence": object,
    "mechanisms": str,
    "type": str,
    "repaired": object,
    "reason": str,
    "set_aside": object,
}


def log_cleaned(run: Run, samples: Samples, cleaned: dict[str, Cleaned]) -> None:
    """Write cleaners.parquet: sample_id, given, then NAME.trust, NAME.kept, NAME.labels, NAME.confidence of each."""
    columns = {"sample_id": samples.sample_id, "given": samples.labels}
    for name, one in cleaned.items():
        columns |= {f"{name}.{field}": values for field, values in vars(one).items()}
    run.log_frame(pd.DataFrame(columns), FILE)


def read_cleaned(run: Run, name: str, samples: Samples) -> Cleaned:
    """What a cleaner said of these samples. Raises BadData where the run is of others, RunNotFound without the cleaner.

    Labels that are none of the samples' classes are refused too.
    """
    kinds = {"trust": object, "kept": object, "labels": int, "confidence": object}
    frame = run.frame(FILE, {"sample_id": int} | {f"{name}.{field}": kind for field, kind in kinds.items()})
    if not np.array_equal(frame["sample_id"], samples.sample_id):
        raise BadData(f"run {run.id} cleaned other samples; run it again")
    found = Cleaned(**{field: frame[f"{name}.{field}"].to_numpy() for field in kinds})
    known = ((found.labels >= 0) & (found.labels < samples.num_classes)).all()
    sure = found.confidence.dtype.kind == "f" and np.isfinite(found.confidence).all()
    if found.kept.dtype != bool or not known or not sure:
        raise BadData(f"{FILE} of run {run.id} holds no labels of '{samples.name}'; run it again")
    return found


def read_repairs(run: Run, samples: Samples) -> pd.DataFrame:
    """What `repair_labels` made of these samples. Raises BadData where the run is of others, or damaged."""
    frame = run.frame("repairs.parquet", REPAIRS)
    same = np.array_equal(frame["sample_id"], samples.sample_id) and np.array_equal(frame["given"], samples.labels)
    if not same:
        raise BadData(f"run {run.id} repaired other samples or labels; run repair_labels again")
    known = frame["suggested"].between(0, samples.num_classes - 1).all()
    flags = all(frame[name].dtype == bool for name in ("repaired", "set_aside"))
    if not flags or frame["confidence"].dtype.kind != "f" or not known:
        raise BadData(f"repairs.parquet of run {run.id} holds no repairs of '{samples.name}'; run repair_labels again")
    return frame

"""Repairs against the truth: how many wrong labels are mended, how many right ones are broken."""

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.repair import Reason, repaired_labels
from anomaly_mlflow.detection.measures import Measure, mean_of
from anomaly_mlflow.studies.resampled import resample

__all__ = ["MEASURES", "SETS", "measure_repairs", "parts_of", "set_of", "sets_table"]

MEASURES = {
    "changed": "share of the labels that were changed",
    "repair_accuracy": "share of the changed labels that are now right",
    "coverage": "share of the wrong labels that were changed",
    "mended": "share of the wrong labels that are now right",
    "broken": "share of the right labels that are now wrong",
    "wrong_before": "share of the labels that were wrong",
    "wrong_after": "share of the labels that are wrong after the repair",
    "set_aside": "share of the labels that are set aside: doubted by two mechanisms, one an outsider, and left alone",
    "wrong_certain": "share of the others that are wrong after the repair",
}
SETS = {
    "easy": "no cleaner doubts the label",
    "hard": "doubted, and left alone",
    "corrected": "doubted, and changed",
}


def measure_repairs(
    frame: pd.DataFrame, true_label: np.ndarray, groups: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """A row for each of `MEASURES`: measure, value, low, high (95 % over groups within given classes), of (rows).

    frame: as `repairs` gives it; true_label: int64 (n,), in its order, -1 for images of no class, whose label is wrong
    whatever it is; groups: int64 (n,), rows of one source.
    """
    parts = parts_of(frame, true_label)
    measures: dict[str, Measure] = {name: mean_of(*part) for name, part in parts.items()}
    found = resample(measures, frame["given"].to_numpy(), groups, draws=draws, seed=seed)
    ends = {name: found.interval(name) for name in parts}
    rows = [(name, ends[name].value, ends[name].low, ends[name].high, int(parts[name][1].sum())) for name in parts]
    return pd.DataFrame(rows, columns=["measure", "value", "low", "high", "of"])


def parts_of(frame: pd.DataFrame, true_label: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By measure the rows that count, and those among which they are counted: bool (n,) each."""
    given, after = frame["given"].to_numpy(), repaired_labels(frame)
    repaired, wrong, still = frame["repaired"].to_numpy(bool), given != true_label, after != true_label
    everything, aside = np.ones(len(frame), bool), frame["set_aside"].to_numpy(bool)
    return {
        "changed": (repaired, everything),
        "repair_accuracy": (~still, repaired),
        "coverage": (repaired, wrong),
        "mended": (~still, wrong),
        "broken": (still, ~wrong),
        "wrong_before": (wrong, everything),
        "wrong_after": (still, everything),
        "set_aside": (aside, everything),
        "wrong_certain": (still, ~aside),
    }


def set_of(frame: pd.DataFrame) -> np.ndarray:
    """object (n,): easy, hard or corrected (`SETS`)."""
    easy = frame["reason"] == Reason.NOT_DOUBTED
    return np.select([frame["repaired"], easy], ["corrected", "easy"], "hard").astype(object)


def sets_table(frame: pd.DataFrame, true_label: np.ndarray | None) -> pd.DataFrame:
    """A row for each of `SETS`: set, labels, share; where the truth is known, shares right before and after."""
    sets, after = set_of(frame), repaired_labels(frame)
    rows = []
    for name in SETS:
        own = sets == name
        row = {"set": name, "labels": int(own.sum()), "share": float(own.mean())}
        if true_label is not None and own.any():
            row |= {"right before": float((frame["given"] == true_label)[own].mean())}
            row |= {"right after": float((after == true_label)[own].mean())}
        rows.append(row)
    return pd.DataFrame(rows)

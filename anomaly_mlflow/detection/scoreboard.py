"""Every detector on every task and set of signals: precision, recall, F1, AUROC, average precision with intervals."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import delayed

from anomaly_mlflow.detection.classifiers import folds
from anomaly_mlflow.detection.detectors import DETECTORS
from anomaly_mlflow.detection.labelled import Labelled
from anomaly_mlflow.detection.measures import auroc_of, average_precision_of, rates_of, together
from anomaly_mlflow.detection.nested import nested
from anomaly_mlflow.detection.statistics import interval
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["MEASURES", "scoreboard"]

MEASURES = ("auroc", "average_precision", "precision", "recall", "f1")
COLUMNS = ["task", "arm", "detector", "measure", "value", "low", "high", "positives", "negatives"]


def scoreboard(
    tasks: Mapping[str, Labelled],
    arms: Mapping[str, Sequence[str]],
    *,
    seed: int = 0,
    draws: int = 2000,
    jobs: int = 1,
    folder: Path | None = None,
    on_done: Callable[[], object] = lambda: None,
) -> pd.DataFrame:
    """One row per task, arm, detector and measure: mean over seeds and 95 % interval over seeds and source groups.

    arms: name -> columns; those that the table lacks are left out. folder: where each cell is kept once it is done; a
    cell that is there is read. jobs: cells side by side. Columns: task, arm, detector, measure, value, low, high,
    positives, negatives. A task of too few rows or groups to hold some out stands with NaN.
    """
    sides = [(task, arm, data.only(columns)) for task, data in tasks.items() for arm, columns in arms.items()]
    cells = [(*side, detector) for side in sides if side[2].columns for detector in DETECTORS]
    frames = []
    for frame in side_by_side([delayed(_cell)(*cell, seed, draws, folder) for cell in cells], jobs):
        frames.append(frame)
        on_done()
    return pd.concat(frames, ignore_index=True)


def _cell(
    task: str, arm: str, data: Labelled, detector: str, seed: int, draws: int, folder: Path | None
) -> pd.DataFrame:
    kept = folder / f"{task}-{arm}-{detector}.parquet" if folder else None
    if kept and kept.exists():
        return pd.read_parquet(kept)
    positives = int(data.positive.sum())
    sizes = (positives, len(data.positive) - positives)
    values = _values(detector, data, seed, draws)
    frame = pd.DataFrame([(task, arm, detector, *value, *sizes) for value in values], columns=COLUMNS)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(kept.with_suffix(".part"))
        kept.with_suffix(".part").replace(kept)
    return frame


def _values(detector: str, data: Labelled, seed: int, draws: int) -> list[tuple[str, float, float, float]]:
    try:
        fold = folds(data.positive, data.groups, seed)
        found = nested(detector, data, fold, seed)
    except BadData:
        return [(measure, np.nan, np.nan, np.nan) for measure in MEASURES]
    ranked = (found.probability, data.positive, fold)
    measure = together(auroc_of(*ranked), average_precision_of(*ranked), rates_of(found.flagged, data.positive))
    ends = interval(measure, data.positive, data.groups, draws=draws, seed=seed)
    return [(name, end.value, end.low, end.high) for name, end in zip(MEASURES, ends, strict=True)]

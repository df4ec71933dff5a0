"""Trainings in which some rows are given a class of their own: what the margin of a label is that nothing supports."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from joblib import delayed

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.kept import keep, kept
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["RUNS", "ThresholdRun", "set_apart", "threshold_runs"]

RUNS = 2
"""Trainings, each with other threshold rows, so that every row bears its given label in one."""

EXTRA = "threshold"


@dataclass(frozen=True)
class ThresholdRun:
    """One such training.

    threshold: bool (n,), the rows that bore the extra class; margin: float32 (n,), area under the margin of the label
    that the row bore in this training (for threshold rows the extra class), in logits.
    """

    threshold: np.ndarray
    margin: np.ndarray


def threshold_runs(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    folder: Path,
    device: str = "auto",
    jobs: int = 1,
    on_done: Callable[[], object] | None = None,
) -> list[ThresholdRun]:
    """Two trainings on the given labels in which n // (C + 1) rows, others each time, bear a class of their own.

    Pleiss et al. (2020), but that the area is taken over the whole training: the one-cycle schedule has no first drop
    of the rate to end at. folder: keeps what is done; a folder that an earlier process left behind is taken up. Raises
    what `fit` raises, such as BadData where a class has so few rows that all of them were drawn.
    """
    order = np.random.default_rng(seed).permutation(len(samples))
    count = max(1, len(samples) // (samples.num_classes + 1))
    chosen = [np.isin(np.arange(len(samples)), part) for part in (order[:count], order[-count:])]
    tasks = [
        delayed(_margin)(set_apart(samples, threshold), config, seed + number, device, folder / f"run={number}")
        for number, threshold in enumerate(chosen)
    ]
    runs = []
    for threshold, margin in zip(chosen, side_by_side(tasks, jobs), strict=True):
        runs.append(ThresholdRun(threshold, margin))
        if on_done:
            on_done()
    return runs


def set_apart(samples: Samples, threshold: np.ndarray) -> Samples:
    """The samples with one class more, whose label the threshold rows, bool (n,), bear."""
    labels = np.where(threshold, samples.num_classes, samples.labels)
    return replace(samples, labels=labels, classes=(*samples.classes, EXTRA))


def _margin(samples: Samples, config: TrainConfig, seed: int, device: str, folder: Path) -> np.ndarray:
    if done := kept(folder):
        return done["margin"]
    _, recording = fit(samples, config, seed=seed, device=device, record=True)
    margin = recording.margin.mean(axis=0, dtype=np.float64).astype(np.float32)
    keep(folder, margin=margin)
    return margin

"""Trainings with rows that are spoiled on purpose, so that it is known how such rows behave (Siddiqui et al. 2022)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from joblib import delayed

from anomaly_mlflow.data.on_disk import copied
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.kept import keep, kept
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["RUNS", "SUITES", "ProbeRun", "plant", "probe_runs"]

SUITES = ("untouched", "wrong_label", "random_input", "corrupted")
"""What a probe is: as given; another label, uniform; uniform pixels and label; Gaussian noise of sigma 0.1.

MAP-D's random input is normal noise, and it has typical and atypical suites, which need difficulty scores; "untouched"
stands for both and holds the set's own errors. A study that injects uniform flips or noise images injects what two of
the suites are: on these types the probe signals are at their best.
"""

RUNS = 2
"""Trainings with probes, each with others, so that every row is no probe in one."""

MOST, SHARE = 250, 40  # at most 250 probes a suite, at most 1 in 40 rows


@dataclass(frozen=True)
class ProbeRun:
    """One training with probes: loss float32 (epochs, n) of the label trained on; suite int64 (n,), -1 = no probe."""

    loss: np.ndarray
    suite: np.ndarray


def probe_runs(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    folder: Path,
    device: str = "auto",
    jobs: int = 1,
    on_done: Callable[[], object] | None = None,
) -> list[ProbeRun]:
    """Two trainings on the given labels whose probes are different rows, so that every row is no probe in one.

    The probes are made from the given data alone. folder: keeps what is done; a folder that an earlier process left
    behind is taken up. Raises what `fit` raises.
    """
    order = np.random.default_rng(seed).permutation(len(samples))
    count = len(SUITES) * max(1, min(MOST, len(samples) // SHARE))
    planted = [plant(samples, part, seed + number) for number, part in enumerate((order[:count], order[-count:]))]
    tasks = [
        delayed(_losses)(spoiled, config, seed, device, folder / f"run={number}")
        for number, (spoiled, _) in enumerate(planted)
    ]
    runs = []
    for (_, suite), loss in zip(planted, side_by_side(tasks, jobs), strict=True):
        runs.append(ProbeRun(loss, suite))
        if on_done:
            on_done()
    return runs


def plant(samples: Samples, rows: np.ndarray, seed: int) -> tuple[Samples, np.ndarray]:
    """The samples with these rows made probes, the suites in equal parts, and the suite of every row, int64 (n,)."""
    rng = np.random.default_rng(seed)
    images, labels, suite = copied(samples.images), samples.labels.copy(), np.full(len(samples), -1)
    for number, part in enumerate(np.array_split(rows, len(SUITES))):
        suite[part] = number
    wrong, random, corrupted = (np.flatnonzero(suite == SUITES.index(name)) for name in SUITES[1:])
    labels[wrong] = (labels[wrong] + rng.integers(1, samples.num_classes, len(wrong))) % samples.num_classes
    labels[random] = rng.integers(0, samples.num_classes, len(random))
    images[random] = rng.integers(0, 256, images[random].shape, dtype=np.uint8)
    noisy = images[corrupted] + rng.normal(scale=0.1 * 255, size=images[corrupted].shape)
    images[corrupted] = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    return replace(samples, images=images, labels=labels), suite


def _losses(samples: Samples, config: TrainConfig, seed: int, device: str, folder: Path) -> np.ndarray:
    if done := kept(folder):
        return done["loss"]
    _, recording = fit(samples, config, seed=seed, device=device, record=True)
    keep(folder, loss=recording.loss)
    return recording.loss

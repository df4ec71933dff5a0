"""Train on one part, go on with the other: out-of-fold logits on the way, then what is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from joblib import delayed

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.kept import keep, kept
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["SecondSplit", "cross_validate"]


@dataclass(frozen=True)
class SecondSplit:
    """What a model that had learnt some rows still knew of them while it learnt the others.

    rows: int64 (m,), positions trained on in the first phase; correct: bool (epochs, m), whether the given label is
    predicted after each epoch of the second phase.
    """

    rows: np.ndarray
    correct: np.ndarray


def cross_validate(
    samples: Samples,
    fold: np.ndarray,
    config: TrainConfig,
    *,
    seed: int,
    folder: Path,
    device: str = "auto",
    jobs: int = 1,
    on_done: Callable[[], object] | None = None,
) -> tuple[np.ndarray, list[SecondSplit]]:
    """Out-of-fold logits, float32 (n, classes), on the given labels, and one second split a fold.

    fold: int64 (n,) as `assign_folds` gives it. A model learns the rows of the other folds (first phase), is asked for
    its own fold, then learns that fold alone for a third as many epochs (second phase; Maini et al. 2022, with halves
    where there are two folds). The trainings go side by side in `jobs` processes of one thread each.
    folder: keeps what is done; a folder that an earlier process left behind is taken up.
    """
    logits = np.empty((len(samples), samples.num_classes), np.float32)
    folds = range(fold.max() + 1)
    tasks = [delayed(_two_phases)(samples, fold == k, config, seed + k, device, folder / f"fold={k}") for k in folds]
    splits = []
    for k, (own, correct) in zip(folds, side_by_side(tasks, jobs), strict=True):
        logits[fold == k] = own
        splits.append(SecondSplit(np.flatnonzero(fold != k), correct))
        if on_done:
            on_done()
    return logits, splits


def _two_phases(
    samples: Samples, own: np.ndarray, config: TrainConfig, seed: int, device: str, folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    if done := kept(folder):
        return done["logits"], done["correct"]
    model, _ = fit(samples, config, seed=seed, device=device, rows=np.flatnonzero(~own), checkpoint=folder)
    _, logits = infer(model, samples.images, rows=own)
    correct = []

    def ask(epoch: int, model: Classifier, loss: float) -> None:
        correct.append(infer(model, samples.images, rows=~own)[1].argmax(axis=1) == samples.labels[~own])

    shorter = replace(config, epochs=max(3, config.epochs // 3))
    fit(samples, shorter, seed=seed, device=device, start=model, on_epoch=ask, rows=np.flatnonzero(own))
    keep(folder, logits=logits, correct=np.stack(correct))
    return logits, np.stack(correct)

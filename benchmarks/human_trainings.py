"""Cross-fitted trainings on labels that people gave, each fold kept on disk once it is done."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import delayed

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.folds import assign_folds
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side
from benchmarks.measure import one_thread

__all__ = ["FOLDS", "Round", "cross_fit", "digest"]

FOLDS = 5


@dataclass(frozen=True)
class Round:
    """Five trainings, each on four fifths of the rows; every row is held out by one and trained on by four.

    held_out: float32 (2, late epochs, n, classes), logits of the held-out rows in evaluation mode, as they are and
    mirrored; trained: float32 (folds, epochs, n, classes), logits of the training batches, NaN where a fold does not
    train on the row; embeddings: float32 (folds, n, d), final; fold: int64 (n,).
    """

    held_out: np.ndarray
    trained: np.ndarray
    embeddings: np.ndarray
    fold: np.ndarray


def cross_fit(samples: Samples, config: TrainConfig, seed: int, folder: Path, jobs: int = 1) -> Round:
    """Train the five folds, or read those that an earlier process left in the folder."""
    fold = assign_folds(samples, FOLDS, seed)
    name = digest(samples, config, seed)
    tasks = [
        delayed(_train)(samples, config, fold == k, 1000 * seed + k, folder / f"{name}-{k}.npz") for k in range(FOLDS)
    ]
    missing = [task for task in tasks if not task[1][4].exists()]
    for _ in side_by_side(missing, jobs) if jobs > 1 else _in_turn(missing):
        pass
    return _read([task[1][4] for task in tasks], fold, samples.num_classes, config.epochs)


def _in_turn(tasks: list) -> Iterator:
    for function, arguments, named in tasks:
        yield function(*arguments, **named)


def _train(samples: Samples, config: TrainConfig, held: np.ndarray, seed: int, path: Path) -> None:
    one_thread()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    mirrored, late = samples.images[held][:, :, ::-1], []

    def look(epoch: int, model: object, loss: float) -> None:
        if epoch >= config.epochs // 2:
            late.append([infer(model, images)[1] for images in (samples.images[held], mirrored)])

    model, recording = fit(samples.take(~held), config, seed=seed, device="cpu", record=True, on_epoch=look)
    embeddings = infer(model, samples.images)[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    arrays = {"held_out": np.swapaxes(late, 0, 1), "trained": recording.logits, "embeddings": embeddings}
    np.savez(part, **{key: np.asarray(value, np.float16) for key, value in arrays.items()})
    part.rename(path)


def _read(paths: list[Path], fold: np.ndarray, classes: int, epochs: int) -> Round:
    n, embeddings = len(fold), []
    held_out = np.empty((2, epochs - epochs // 2, n, classes), np.float32)
    trained = np.full((FOLDS, epochs, n, classes), np.nan, np.float32)
    for k, path in enumerate(paths):
        with np.load(path) as arrays:
            held_out[:, :, fold == k] = arrays["held_out"]
            trained[k][:, fold != k] = arrays["trained"]
            embeddings.append(arrays["embeddings"].astype(np.float32))
    return Round(held_out, trained, np.stack(embeddings), fold)


def digest(samples: Samples, config: TrainConfig, seed: int) -> str:
    """Name of a round: of its rows, labels, settings and seed, hex."""
    found = hashlib.sha256(repr((config, seed, FOLDS)).encode())
    for values in (samples.sample_id, samples.labels):
        found.update(np.ascontiguousarray(values))
    return found.hexdigest()[:16]

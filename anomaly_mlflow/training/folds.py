"""Models that never saw the rows they judge."""

import hashlib
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from joblib import delayed
from sklearn.model_selection import StratifiedGroupKFold

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.checkpoints import is_saved, save_model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["CROSS_FIT", "assign_folds", "fit_folds", "fold_folder", "read_plan", "seen_digest"]

CROSS_FIT = "cross_fit.parquet"
"""Table beside the fold models: sample_id, fold, reference (bool: the row may be learnt from)."""


def assign_folds(samples: Samples, folds: int, seed: int) -> np.ndarray:
    """Fold of each row, int64 (n,) in 0 .. folds - 1; stratified by label, groups never split."""
    count = np.bincount(samples.labels, minlength=samples.num_classes)
    if count.min() < folds:
        raise BadData(f"class '{samples.classes[count.argmin()]}' has {count.min()} samples, too few for {folds} folds")
    if len(np.unique(samples.groups)) < folds:
        raise BadData(f"'{samples.name}' has {len(np.unique(samples.groups))} source groups, too few for {folds} folds")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold = np.empty(len(samples), dtype=np.int64)
    for number, (_, held_out) in enumerate(splitter.split(samples.labels, samples.labels, samples.groups)):
        fold[held_out] = number
    return fold


def fit_folds(
    samples: Samples,
    fold: np.ndarray,
    reference: np.ndarray,
    config: TrainConfig,
    *,
    seed: int,
    folder: Path,
    device: str = "auto",
    jobs: int = 1,
    whole: bool = False,
    on_done: Callable[[], object] | None = None,
) -> None:
    """Train one model per fold on the reference rows of all other folds; write them to folder/fold=K.

    reference: bool (n,), the rows that may be learnt from. whole: one more model, on all reference rows,
    written to the folder itself. The trainings go side by side in `jobs` processes of one thread each. A folder that
    an earlier process left behind is taken up: models that are there stay, a training begun goes on.
    """
    tasks = [
        delayed(_fit_one)(samples, reference & (fold != k), config, seed + 1 + k, device, fold_folder(folder, k))
        for k in range(fold.max() + 1)
    ]
    if whole:
        tasks.append(delayed(_fit_one)(samples, reference, config, seed, device, folder))
    for _ in side_by_side(tasks, jobs):
        if on_done:
            on_done()


def fold_folder(folder: Path, k: int) -> Path:
    """Where the model of fold k lies."""
    return folder / f"fold={k}"


def _fit_one(samples: Samples, seen: np.ndarray, config: TrainConfig, seed: int, device: str, folder: Path) -> None:
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # a new process would tell its precision each time
    digest = seen_digest(samples.sample_id[seen])
    states = folder / "checkpoint"
    if is_saved(folder, digest):
        shutil.rmtree(states, ignore_errors=True)  # or it would be published with the model
        return
    model, _ = fit(samples, config, seed=seed, device=device, rows=np.flatnonzero(seen), checkpoint=states)
    save_model(model, folder, digest)
    shutil.rmtree(states)


def seen_digest(sample_id: np.ndarray) -> str:
    """sha256 (hex) of a set of sample ids: what a model was trained on."""
    return hashlib.sha256(np.sort(sample_id).astype("<i8").tobytes()).hexdigest()


def read_plan(folder: Path) -> pd.DataFrame:
    """The plan beside the fold models: sample_id, fold, reference. Raises BadData."""
    try:
        plan = pd.read_parquet(folder / CROSS_FIT, columns=["sample_id", "fold", "reference"])
    except (OSError, pa.ArrowException, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise BadData(f"{folder} holds no cross-fitted clean model ({error})") from None
    if [dtype.kind for dtype in plan.dtypes] != ["i", "i", "b"]:
        raise BadData(f"{CROSS_FIT} in {folder} has columns of other types; train the clean model again")
    return plan

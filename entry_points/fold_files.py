"""What `train_folds` and `train_probes` logged, read back in the order of the samples."""

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.probes import SUITES, ProbeRun
from anomaly_mlflow.training.second_split import SecondSplit

__all__ = ["number_lists", "read_out_of_fold", "read_probes", "read_second_splits"]


def read_out_of_fold(run: Run, sample_id: np.ndarray, num_classes: int) -> np.ndarray:
    """Logits of models of other folds, float32 (n, classes). Raises BadData where they are of other samples."""
    frame = run.frame("out_of_fold.parquet", {"sample_id": int, "logits": object})
    logits = number_lists(frame["logits"], run, "out_of_fold.parquet")
    if not np.array_equal(frame["sample_id"], sample_id) or logits.shape[1] != num_classes:
        raise _other_samples(run)
    return logits


def read_second_splits(run: Run, sample_id: np.ndarray) -> list[SecondSplit]:
    """One second split a fold, of exactly the rows of the other folds, all of as many epochs. Raises BadData."""
    plan, splits = run.frame("out_of_fold.parquet", {"sample_id": int, "fold": int}), []
    files, fold = _files(run, "second_split", "fold"), plan["fold"].to_numpy()
    if not np.array_equal(plan["sample_id"], sample_id):
        raise _other_samples(run)
    if set(fold) != set(range(len(files))):
        raise _not_whole(run, "second_split")
    for k, file in enumerate(files):
        rows = np.flatnonzero(fold != k)
        frame = run.frame(f"second_split/{file}", {"sample_id": int, "correct": object})
        if not np.array_equal(frame["sample_id"], sample_id[rows]):
            raise _other_samples(run)
        splits.append(SecondSplit(rows, number_lists(frame["correct"], run, f"second_split/{file}", bool).T))
    if len({len(split.correct) for split in splits}) > 1:
        raise _not_whole(run, "second_split")
    return splits


def read_probes(run: Run, sample_id: np.ndarray) -> list[ProbeRun]:
    """The trainings with probes."""
    runs = []
    for file in _files(run, "probes", "run"):
        frame = run.frame(f"probes/{file}", {"sample_id": int, "suite": int, "loss": object})
        suite = frame["suite"].to_numpy()
        if not np.array_equal(frame["sample_id"], sample_id) or not np.isin(suite, range(-1, len(SUITES))).all():
            raise _other_samples(run)
        runs.append(ProbeRun(number_lists(frame["loss"], run, f"probes/{file}").T, suite))
    return runs


def _files(run: Run, folder: str, key: str) -> list[str]:
    found = {path.name for path in run.path(folder).glob(f"{key}=*.parquet")}
    wanted = [f"{key}={number}.parquet" for number in range(len(found))]
    if found != set(wanted) or not found:
        raise _not_whole(run, folder)
    return wanted


def number_lists(cells: pd.Series, run: Run, artifact: str, dtype: type = np.float32) -> np.ndarray:
    """A column of lists as a matrix (n, length). Raises BadData.

    dtype: bool, or float32 for finite numbers; what overflows it is not finite.
    """
    try:
        matrix = np.stack(list(cells))
    except (ValueError, TypeError):
        matrix = np.empty(0)
    usable = matrix.ndim == 2 and matrix.size > 0 and matrix.dtype.kind in ("b" if dtype is bool else "iuf")
    if usable:
        with np.errstate(over="ignore"):
            matrix = matrix.astype(dtype)
    if not usable or not np.isfinite(matrix).all():
        wanted = "true or false" if dtype is bool else "finite numbers"
        raise BadData(
            f"column '{cells.name}' of '{artifact}' of run {run.id} must hold lists of {wanted}, all of one length; "
            "make the run again"
        )
    return matrix


def _not_whole(run: Run, folder: str) -> BadData:
    return BadData(f"{folder} of run {run.id} is not whole; make the run again")


def _other_samples(run: Run) -> BadData:
    return BadData(f"run {run.id} was made from other samples; make it again")

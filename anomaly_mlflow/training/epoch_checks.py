"""What must be true of the batches and epochs that a recorder is given."""

import numpy as np
import torch

from anomaly_mlflow.errors import BadData

__all__ = ["as_tensors", "check_again", "check_batch", "check_epoch"]


def as_tensors(**values: object) -> list[torch.Tensor]:
    """What a batch was given as. Raises BadData on what is no array of numbers, and on ids beyond int64."""
    try:
        tensors = {name: torch.as_tensor(value) for name, value in values.items()}
    except (TypeError, ValueError, RuntimeError, OverflowError):
        kinds = ", ".join(f"{name} {type(value).__name__}" for name, value in values.items())
        raise BadData(f"a batch must be numbers, ids below 2**63 too ({kinds}); number the samples") from None
    ids = tensors["sample_id"]
    if ids.dtype == torch.uint64 and (ids.long() < 0).any():
        raise BadData("sample_id must be below 2**63; number the samples")
    return list(tensors.values())


def check_batch(sample_id: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, classes: int) -> None:
    """Raises BadData where shapes or types are not (b,), (b, classes), (b,) and whole, real, whole numbers.

    classes: those of the batches before, 0 for the first.
    """
    rows = logits.shape[:1]
    if logits.dim() != 2 or sample_id.shape != rows or labels.shape != rows:
        found = ", ".join(str(tuple(values.shape)) for values in (sample_id, logits, labels))
        raise BadData(f"sample_id, logits and labels must have shapes (b,), (b, classes) and (b,), and have {found}")
    if (
        any(values.is_floating_point() or values.is_complex() for values in (sample_id, labels))
        or not logits.is_floating_point()
    ):
        raise BadData("sample_id and labels must be whole numbers, logits must be real ones")
    if logits.shape[1] != (classes or logits.shape[1]) or logits.shape[1] < 2:
        raise BadData(f"there are logits of {logits.shape[1]} classes; two or more are needed, the same in all batches")


def check_epoch(epoch: int, ids: np.ndarray, labels: np.ndarray, values: np.ndarray, classes: int) -> None:
    """Raises BadData on a NaN among the values (n, ...) that were kept of logits, and on labels that are no class."""
    bad = np.flatnonzero(np.isnan(values).any(axis=1))
    if len(bad):
        raise BadData(f"the logits of {len(bad)} samples are NaN in epoch {epoch} (first: sample {ids[bad[0]]})")
    if labels.min() < 0 or labels.max() >= classes:
        raise BadData(f"labels reach from {labels.min()} to {labels.max()}, but there are logits of {classes} classes")


def check_again(epoch: int, known: np.ndarray, given: np.ndarray, ids: np.ndarray, labels: np.ndarray) -> str | None:
    """What to tell where other samples passed than in the first epoch (ids `known`, labels `given`), else None.

    Raises BadData where a label is not what it was.
    """
    told = None
    if not np.array_equal(ids, known):
        shared, at, rows = np.intersect1d(known, ids, assume_unique=True, return_indices=True)
        told = (
            f"{len(known) - len(shared)} samples of the first epoch did not pass in epoch {epoch}, "
            f"{len(ids) - len(shared)} passed that were not there; signals can judge only samples of every epoch: "
            "use drop_last=False, and draw without replacement"
        )
        ids, given, labels = shared, given[at], labels[rows]
    changed = np.flatnonzero(given != labels)
    if len(changed):
        row = changed[0]
        raise BadData(f"sample {ids[row]} bears label {labels[row]} in epoch {epoch}, {given[row]} in the first one")
    return told

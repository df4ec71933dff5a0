"""Epochs of one training, put together."""

import warnings
from collections.abc import Sequence
from dataclasses import fields
from functools import reduce

import numpy as np

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["joined"]

ONCE = ("labels", "sample_id", "num_classes")


def joined(epochs: Sequence[Recording | TopRecording]) -> Recording | TopRecording:
    """One recording of all epochs, of the samples that are in each; warns where that leaves some out.

    Raises BadData where the epochs share no sample, differ in their classes, or a sample's label changes.
    """
    first = epochs[0]
    if len({(type(epoch), epoch.num_classes) for epoch in epochs}) > 1:
        raise BadData("the number of classes is not the same in all epochs")
    ids = first.sample_id
    if any(not np.array_equal(epoch.sample_id, ids) for epoch in epochs):
        epochs = _common(epochs)
    for number, epoch in enumerate(epochs):
        changed = np.flatnonzero(epoch.labels != epochs[0].labels)
        if len(changed):
            row = changed[0]
            raise BadData(
                f"sample {epoch.sample_id[row]} bears label {epochs[0].labels[row]} in epoch 0, "
                f"{epoch.labels[row]} in epoch {number}"
            )
    names = [field.name for field in fields(first)]
    whole = {name: np.concatenate([getattr(epoch, name) for epoch in epochs]) for name in names if name not in ONCE}
    return type(first)(**whole, **{name: getattr(epochs[0], name) for name in names if name in ONCE})


def _common(epochs: Sequence[Recording | TopRecording]) -> list[Recording | TopRecording]:
    ids = reduce(np.intersect1d, [epoch.sample_id for epoch in epochs])
    seen = len(reduce(np.union1d, [epoch.sample_id for epoch in epochs]))
    if len(ids) == 0:
        raise BadData("no sample passed in every epoch")
    if len(ids) < seen:
        told = f"{seen - len(ids)} of {seen} samples did not pass in every epoch and are left out"
        rows = [len(epoch.sample_id) for epoch in epochs]
        fewest = int(np.argmin(rows))
        told += f"; the fewest, {rows[fewest]}, passed in epoch {fewest}"
        if fewest == len(epochs) - 1:
            told += ", the last: remove its folder and they are back, but for those that miss other epochs too"
        warnings.warn(told, stacklevel=4)
    return [_taken(epoch, ids) for epoch in epochs]


def _taken(epoch: Recording | TopRecording, ids: np.ndarray) -> Recording | TopRecording:
    """The rows of these ids, which are all there, in this order."""
    order = np.argsort(epoch.sample_id)
    rows = order[np.searchsorted(epoch.sample_id, ids, sorter=order)]
    values = {field.name: getattr(epoch, field.name) for field in fields(epoch)}
    for name, value in values.items():
        if name in ("labels", "sample_id"):
            values[name] = value[rows]
        elif name not in ("num_classes", "learning_rate"):
            values[name] = value[:, rows]
    return type(epoch)(**values)

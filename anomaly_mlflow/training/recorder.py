"""Keeps the logits of the training batches as they pass: no extra forward pass.

In a training loop of your own, `sample_id` being any whole number that names a sample:

    recorder = Recorder("recording")                  # or Recorder(to_run("my experiment")); in memory without a target
    recorder.record(sample_id, logits, labels)        # in each training batch
    recorder.finish()
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.epoch_buffer import MORE, EpochBuffer, to_keep
from anomaly_mlflow.training.epoch_checks import as_tensors, check_again, check_batch, check_epoch
from anomaly_mlflow.training.joined import joined
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.sinks import EpochSink, FileSink, into
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["Recorder"]


class Recorder:
    """Collects the logits of each batch on the device, and hands an epoch on when it ends.

    sink: a folder, what `to_run` gives, or a function that takes each finished epoch; without one all epochs are kept.
    sample_id: the samples, in the order of the recording, each to pass exactly once an epoch, which `end_epoch` ends.
    Without it samples are known by passing: one that passes again begins the next epoch, and all its batch with it: let
    batches end with the epoch.
    first_epoch: number of the first epoch, where an earlier process recorded those before it. gather: brings the rows
    of several ranks together at the end of an epoch; where it gives None, another rank hands the epoch on. Without it,
    each rank needs a folder of its own. Raises BadData where a folder cannot be made or holds a recording already.
    """

    def __init__(
        self,
        sink: str | Path | FileSink | EpochSink | None = None,
        *,
        sample_id: np.ndarray | None = None,
        first_epoch: int = 0,
        gather: Callable[[list[np.ndarray]], list[np.ndarray] | None] | None = None,
    ):
        self._gather = gather
        self._sink = into(sink, first_epoch) if isinstance(sink, str | Path | FileSink) else sink
        self._target, self._sample_id, self._epoch = sink, sample_id, first_epoch
        self._buffer = EpochBuffer(None if sample_id is None else len(sample_id))
        self._passed: set[int] = set()
        self._first: tuple[np.ndarray, np.ndarray] | None = None
        self._classes, self._warned, self._closed = 0, False, False
        self._rates: list[float] = []
        self._largest_batch = 1
        self._done: list[Recording | TopRecording] = []

    @torch.no_grad()
    def record(
        self,
        sample_id: torch.Tensor | np.ndarray,
        logits: torch.Tensor,
        labels: torch.Tensor | np.ndarray,
        learning_rate: float = float("nan"),
    ) -> None:
        """Keep the logits (b, classes) of these samples, in any precision, with or without a gradient.

        Without known samples, leave `sample_id` on the CPU: it is looked at in each batch. Raises BadData.
        """
        if self._closed:
            raise BadData("the recorder is finished and its run closed; make a new one, and finish() it at the end")
        sample_id, logits, labels = as_tensors(sample_id=sample_id, logits=logits, labels=labels)
        check_batch(sample_id, logits, labels, self._classes)
        self._classes, self._largest_batch = logits.shape[1], max(self._largest_batch, len(logits))
        if self._sample_id is None:
            self._tell_epochs_apart(sample_id.tolist())
        self._buffer.add(sample_id, labels, *to_keep(logits.detach(), labels))
        self._rates.append(learning_rate)

    def end_epoch(self) -> None:
        """Close the epoch. Raises BadData on senseless logits or labels, and where known samples did not pass once."""
        if self._sample_id is None and not self._buffer.filled:
            return
        arrays = self._buffer.take()
        arrays = self._gather(arrays) if self._gather else arrays
        if arrays is not None:
            self._hand_on(*arrays)
        self._rates, self._epoch = [], self._epoch + 1
        self._passed.clear()

    def _hand_on(self, ids: np.ndarray, labels: np.ndarray, *kept: np.ndarray) -> None:
        rows = np.argsort(ids) if self._sample_id is None else self._rows_of_known(ids)
        ids, labels, kept = ids[rows], labels[rows], [values[rows] for values in kept]
        check_epoch(self._epoch, ids, labels, kept[-1], self._classes)
        self._first = self._first or (ids, labels)
        missing = check_again(self._epoch, *self._first, ids, labels)
        if missing and not self._warned:
            self._warned = True
            warnings.warn(missing, stacklevel=3)
        epoch = _recording(kept, self._classes, labels, ids, np.array([np.mean(self._rates)]))
        if self._sink is not None:
            self._sink(self._epoch, epoch)
        else:
            self._done.append(epoch)

    def finish(self) -> Recording | TopRecording | None:
        """Close the last epoch and the sink; all epochs, where no sink took them.

        An epoch that lacks a batch or more of the first epoch's samples was left early and is not kept: at reading it
        would cost all that it lacks. Raises BadData as `end_epoch` does.
        """
        # Of several ranks none knows how much the others hold.
        rows = len(self._first[0]) if self._first and not self._gather else 0
        if self._buffer.filled and rows - self._buffer.filled >= self._largest_batch:
            left = f"after {self._buffer.filled} of {rows} samples"
            warnings.warn(f"epoch {self._epoch} was left early, {left}, and is not kept", stacklevel=2)
        elif self._buffer.filled:
            self.end_epoch()
        if isinstance(self._target, FileSink) and not self._closed:
            self._target.close()
            self._closed = True
        return joined(self._done) if self._done else None

    def _tell_epochs_apart(self, ids: list[int]) -> None:
        if not self._passed.isdisjoint(ids):
            self.end_epoch()
        before = len(self._passed)
        self._passed.update(ids)
        if len(self._passed) - before < len(ids):
            raise BadData(
                "a sample passes twice in one batch: draw without replacement, each sample once an epoch; or the batch "
                "straddles two epochs: let batches end with the epoch, or split this one around end_epoch()"
            )

    def _rows_of_known(self, ids: np.ndarray) -> np.ndarray:
        by_id, order = np.argsort(ids), np.argsort(self._sample_id)
        if not np.array_equal(ids[by_id], self._sample_id[order]):
            told = f"not every sample passed exactly once in epoch {self._epoch}"
            raise BadData(f"{told}; where the samples are known, end_epoch() ends each epoch")
        rows = np.empty_like(by_id)
        rows[order] = by_id
        return rows


def _recording(
    kept: list[np.ndarray], classes: int, labels: np.ndarray, sample_id: np.ndarray, rate: np.ndarray
) -> Recording | TopRecording:
    if len(kept) == 1:
        return Recording(kept[0][None], labels, sample_id, rate)
    top_classes, values = kept
    scalars = {name: values[None, :, column].astype(np.float32) for column, name in enumerate(MORE)}
    below = values[None, :, len(MORE) :].astype(np.float32)
    return TopRecording(
        **scalars,
        top_log_probabilities=below,
        top_classes=top_classes[None],
        num_classes=classes,
        labels=labels,
        sample_id=sample_id,
        learning_rate=rate,
    )

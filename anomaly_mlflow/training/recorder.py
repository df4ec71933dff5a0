"""Keeps the logits of the training batches as they pass: no extra forward pass."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recording import Recording

__all__ = ["EpochSink", "Recorder"]


class EpochSink(Protocol):
    """Takes each finished epoch while training goes on."""

    def __call__(self, epoch: int, recording: Recording) -> None:
        """`recording` holds this one epoch; epoch counts from 0."""


class Recorder:
    """Collects the logits of each batch on the device, and hands an epoch on when it ends.

    sink: takes each epoch; without one all epochs are kept. sample_id: the samples, in the order of the recording;
    first_epoch: number of the first epoch, where an earlier process recorded those before it. gather: brings the rows
    of several ranks together at the end of an epoch; where it gives None, another rank hands the epoch on.
    """

    def __init__(
        self,
        sink: EpochSink | None = None,
        *,
        sample_id: np.ndarray,
        first_epoch: int = 0,
        gather: Callable[[list[np.ndarray]], list[np.ndarray] | None] | None = None,
    ):
        self._sink, self._order, self._sample_id = sink, np.argsort(sample_id), sample_id
        self._gather = gather
        self._epoch, self._filled = first_epoch, 0
        self._rates: list[float] = []
        self._done: list[Recording] = []
        # Filled in place: small tensors that lie between the batches would keep glibc < 2.38 from reusing their memory.
        self._ids = torch.empty(len(sample_id), dtype=torch.int64)
        self._labels = torch.empty(len(sample_id), dtype=torch.int64)
        self._logits: torch.Tensor | None = None

    def record(
        self, sample_id: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, learning_rate: float = float("nan")
    ) -> None:
        """Keep the logits (b, classes) of these samples. Values beyond float16's range are clipped to it."""
        if self._logits is None:
            self._logits = torch.empty(len(self._ids), logits.shape[1], dtype=torch.float16, device=logits.device)
            self._ids, self._labels = self._ids.to(logits.device), self._labels.to(logits.device)
        part = slice(self._filled, self._filled + len(sample_id))
        if part.stop > len(self._ids):
            raise BadData(f"a sample passed twice in epoch {self._epoch}")
        self._ids[part], self._labels[part] = sample_id, labels
        self._logits[part] = logits.detach().float().clamp(-65504, 65504)
        self._rates.append(learning_rate)
        self._filled = part.stop

    def end_epoch(self) -> None:
        """Close the epoch. Raises BadData if a sample did not pass, or passed twice."""
        arrays = [values[: self._filled].cpu().numpy() for values in (self._ids, self._labels, self._logits)]
        arrays = self._gather(arrays) if self._gather else arrays
        if arrays is not None:
            self._hand_on(*arrays)
        self._rates, self._filled, self._epoch = [], 0, self._epoch + 1

    def _hand_on(self, ids: np.ndarray, labels: np.ndarray, logits: np.ndarray) -> None:
        by_id = np.argsort(ids)
        if not np.array_equal(ids[by_id], self._sample_id[self._order]):
            raise BadData(f"not every sample passed exactly once in epoch {self._epoch}")
        rows = np.empty_like(by_id)
        rows[self._order] = by_id
        part = Recording(logits[rows][None], labels[rows], self._sample_id, np.array([np.mean(self._rates)]))
        if self._sink is not None:
            self._sink(self._epoch, part)
        else:
            self._done.append(part)

    def finish(self) -> Recording | None:
        """All epochs, where no sink took them."""
        if not self._done:
            return None
        logits = np.concatenate([part.logits for part in self._done])
        rates = np.concatenate([part.learning_rate for part in self._done])
        return Recording(logits, self._done[0].labels, self._sample_id, rates)

"""Keeps the logits of the training batches as they pass: no extra forward pass."""

from typing import Protocol

import numpy as np
import torch

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recording import Recording

__all__ = ["EpochSink", "Recorder"]


class EpochSink(Protocol):
    """Takes each finished epoch while training goes on."""

    def __call__(self, epoch: int, recording: Recording) -> None:
        """`recording` holds this one epoch; epoch counts from 0."""


class Recorder:
    """Collects one float16 (n, classes) block per epoch on the device, and hands it on when the epoch ends."""

    def __init__(self, samples: Samples, device: torch.device, sink: EpochSink | None = None):
        self._samples, self._sink = samples, sink
        self._block = torch.full((len(samples), samples.num_classes), torch.nan, dtype=torch.float16, device=device)
        self._epochs: list[np.ndarray] = []
        self._rates: list[float] = []

    def record(self, rows: torch.Tensor, logits: torch.Tensor) -> None:
        """Keep the logits (b, classes) of these rows. Values beyond float16's range are clipped to it."""
        self._block[rows] = logits.detach().float().clamp(-65504, 65504).to(torch.float16)

    def end_epoch(self, learning_rate: float) -> None:
        """Close the epoch. Raises BadData if a row did not pass."""
        block = self._block.cpu().numpy().copy()
        if np.isnan(block).any():
            raise BadData(f"{int(np.isnan(block).any(axis=1).sum())} rows did not pass in epoch {len(self._epochs)}")
        self._epochs.append(block)
        self._rates.append(learning_rate)
        self._block.fill_(torch.nan)
        if self._sink is not None:
            self._sink(len(self._epochs) - 1, self._recording(self._epochs[-1:], self._rates[-1:]))

    def finish(self) -> Recording:
        """All epochs so far."""
        return self._recording(self._epochs, self._rates)

    def _recording(self, blocks: list[np.ndarray], rates: list[float]) -> Recording:
        return Recording(np.stack(blocks), self._samples.labels, self._samples.sample_id, np.array(rates))

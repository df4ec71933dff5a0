"""What a recorder keeps of the epoch that is under way, on the device of the logits."""

import numpy as np
import torch

from anomaly_mlflow.training.logit_statistics import logit_statistics
from anomaly_mlflow.training.top_recording import ALL_LOGITS, TOP

__all__ = ["MORE", "EpochBuffer", "to_keep"]

ROWS = 4096
MORE = ("loss", "margin", "entropy", "error_norm", "log_sum_exp")
LARGEST = 65504.0
"""The largest float16."""


class EpochBuffer:
    """Columns that grow while their length is not known and are filled in place, epoch after epoch.

    In place, because small tensors that lie between the batches would keep glibc < 2.38 from reusing their memory.
    """

    def __init__(self, rows: int | None = None):
        self._rows, self._columns = rows or ROWS, []
        self.filled = 0

    def add(self, *parts: torch.Tensor) -> None:
        """Append rows to each column: whole numbers as int64, others as float16, on the device of the last part."""
        begin, end = self.filled, self.filled + len(parts[0])
        if not self._columns or end > self._rows:
            self._grow(parts, end)
        for column, part in zip(self._columns, parts, strict=True):
            column[begin:end] = part
        self.filled = end

    def take(self) -> list[np.ndarray]:
        """The columns, to be copied before the next `add`: the memory is used again."""
        columns = [column[: self.filled].cpu().numpy() for column in self._columns]
        self.filled = 0
        return columns

    def _grow(self, parts: tuple[torch.Tensor, ...], least: int) -> None:
        while self._rows < least:
            self._rows *= 2
        old, self._columns = self._columns, []
        with torch.inference_mode(False):
            for part in parts:
                kind = torch.float16 if part.is_floating_point() else torch.int64
                self._columns.append(torch.empty(self._rows, *part.shape[1:], dtype=kind, device=parts[-1].device))
        for column, before in zip(self._columns, old, strict=False):
            column[: self.filled] = before[: self.filled]


def to_keep(logits: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    """What a recording holds of logits (b, C): themselves, or for many classes the largest and what all of them tell.

    Up to ALL_LOGITS classes one part, (b, C); beyond, the classes of the largest, (b, 5), and a part (b, 10): `MORE`,
    then the largest logits less log_sum_exp. Values beyond float16's range are clipped to it.
    """
    classes = logits.shape[1]
    logits = logits.float().clamp(-LARGEST, LARGEST)  # a masked class is -inf, of which no entropy can be computed
    if classes <= ALL_LOGITS:
        return [logits]
    statistics = logit_statistics(
        logits, labels.to(logits.device).clamp(0, classes - 1)
    )  # what is outside is told later
    top = logits.topk(TOP, dim=1)
    below = top.values - statistics["log_sum_exp"][:, None]
    values = torch.stack([statistics[name] for name in MORE], dim=1)
    return [top.indices, torch.cat([values, below], dim=1).clamp(-LARGEST, LARGEST)]

"""Trainings in which some rows are given a class of their own: what the margin of a label is that nothing supports."""

from dataclasses import dataclass

import numpy as np

__all__ = ["ThresholdRun"]


@dataclass(frozen=True)
class ThresholdRun:
    """One such training.

    threshold: bool (n,), the rows that bore the extra class; margin: float32 (n,), area under the margin of the label
    that the row bore in this training (for threshold rows the extra class), in logits.
    """

    threshold: np.ndarray
    margin: np.ndarray

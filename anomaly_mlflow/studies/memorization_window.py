"""When a model that learns wrong labels can still be caught at it: the window of divergence, by a rule on two curves.

Rule: an epoch diverges where the conflicting curve lies above the clean one by more than chance, by a one-sided test
at 5 % over all epochs together (Bonferroni). The peak is the diverging epoch of the largest gap. The window is the
unbroken run of epochs around it that diverge by at least half of that gap (full width at half maximum).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

__all__ = ["Window", "divergence_window", "memorization_spike"]

LEVEL = 0.05
HALF = 0.5


@dataclass(frozen=True)
class Window:
    """start, peak, end: epochs counted from 0, all within it. closed: it ends before the last epoch; gap: at the peak.

    Where it is not closed, the curves still lie apart when the training ends.
    """

    start: int
    peak: int
    end: int
    closed: bool
    gap: float


def divergence_window(clean: np.ndarray, conflicting: np.ndarray, error: np.ndarray) -> Window | None:
    """The window in which the conflicting curve lies above the clean one; None where it never does beyond chance.

    clean, conflicting: float (epochs,), such as mean entropies in nats; error: standard error of their difference: both
    come from the same trainings; an epoch of an unknown error (NaN) counts as chance.
    """
    gap = np.asarray(conflicting, np.float64) - clean
    diverges = gap > _threshold(len(gap)) * error
    if not diverges.any():
        return None
    peak = int(np.argmax(np.where(diverges, gap, -np.inf)))
    outside = np.flatnonzero(~(diverges & (gap >= HALF * gap[peak])))
    start = int(max(outside[outside < peak], default=-1)) + 1
    end = int(min(outside[outside > peak], default=len(gap))) - 1
    return Window(start, peak, end, end < len(gap) - 1, float(gap[peak]))


def memorization_spike(memorized: np.ndarray, error: np.ndarray) -> int | None:
    """The epoch, counted from 0, in which the share of wrong labels predicted as given rises most.

    None where it never rises beyond chance, by the test of `divergence_window`; memorized: float (epochs,), 0 to 1;
    error: float (epochs - 1,), standard error of each rise: neighbouring epochs judge the same images.
    """
    rise = np.diff(memorized)
    beyond = rise > _threshold(max(1, len(rise))) * error
    return int(np.argmax(np.where(beyond, rise, -np.inf))) + 1 if beyond.any() else None


def _threshold(epochs: int) -> float:
    return float(norm.isf(LEVEL / epochs))

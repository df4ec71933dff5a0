"""Online label refinement carried over from reinforcement learning with verifiable rewards (a reconstruction).

There a label is replaced by the majority answer of the passes once the share of passes that give it rises and the
answer is stable. Here the last recorded epochs are the passes: one prediction an epoch, in the training batch.
"""

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.errors import MissingEvidence
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["online_label_refinement", "refine"]

PASSES = 5
"""Epochs that count as passes of one update, and updates over which the slope is taken."""

STABLE = 3
"""Updates in which the majority must have been the same class."""

LEAST = 0.5
"""Share of the passes that must give it."""


@cleaner(("recording",), "training", "Online Label Refinement (2026), arXiv:2604.03993 (abstract)", reconstruction=True)
def online_label_refinement(evidence: Evidence, *, seed: int) -> Cleaned:
    """Replay the refinement along the recording; what its last epoch leaves is the proposed label.

    trust: 1 - mean over updates of the pass rate of the majority where that is not the given label; kept: the given
    label stands at the end; confidence: share of the last passes that give the proposed label. Nothing is drawn. A
    recording goes on learning the given label after it was replaced, which refined training would not: where it is
    learnt by heart in the end, it comes back. Raises MissingEvidence for fewer than 5 epochs.
    """
    predicted, given = evidence.recording.predicted, evidence.labels
    if len(predicted) < PASSES:
        raise MissingEvidence(f"cleaner 'online_label_refinement' needs {PASSES} recorded epochs, not {len(predicted)}")
    labels, _ = refine(predicted, given)
    against = [np.where(majority == given, 0.0, rate) for majority, rate in _majorities(predicted)]
    confidence = (predicted[-PASSES:] == labels).mean(axis=0)
    return Cleaned(1 - np.mean(against, axis=0), labels == given, labels, confidence)


def refine(predicted: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """The labels, int64 (n,), after all updates, and a log of the changes: epoch, row, old, new.

    predicted: int (epochs, n); labels: int64 (n,), the given ones. After each epoch from the fifth on the label becomes
    the majority m of the last 5 predictions where m was the majority of the last 3 updates too, at least half of the
    passes give m, m is not the label as it stands, and the pass rate of m rises: least-squares slope above 0 over the
    last 5 updates. Before the first epoch nothing passes, so that a row that is predicted the same from the beginning
    rises too, once.
    """
    current, log = labels.astype(np.int64), []
    for epoch, (majority, rate) in enumerate(_majorities(predicted), start=PASSES - 1):
        stable = np.all([_majority(predicted[: epoch + 1 - back])[0] == majority for back in range(1, STABLE)], axis=0)
        change = stable & (rate >= LEAST) & (majority != current) & (_slope(predicted[: epoch + 1], majority) > 1e-9)
        rows = np.flatnonzero(change)
        log.append(pd.DataFrame({"epoch": epoch, "row": rows, "old": current[rows], "new": majority[rows]}))
        current = np.where(change, majority, current)
    return current, pd.concat(log, ignore_index=True)


def _majorities(predicted: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return [_majority(predicted[:end]) for end in range(PASSES, len(predicted) + 1)]


def _majority(predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The most frequent of the last passes, of several the latest, int64 (n,); its pass rate, float64 (n,)."""
    last = predicted[-PASSES:][::-1]
    votes = (last[:, None] == last[None]).sum(axis=0)
    best = votes.argmax(axis=0)[None]
    majority = np.take_along_axis(last, best, axis=0)[0].astype(np.int64)
    return majority, np.take_along_axis(votes, best, axis=0)[0] / PASSES


def _slope(predicted: np.ndarray, majority: np.ndarray) -> np.ndarray:
    """Least-squares slope of the pass rate of these classes over the last updates, per update."""
    passes = np.zeros((2 * PASSES - 1, len(majority)))
    last = predicted[-len(passes) :]
    passes[len(passes) - len(last) :] = last == majority
    rates = np.stack([passes[start : start + PASSES].mean(axis=0) for start in range(PASSES)])
    steps = np.arange(PASSES) - (PASSES - 1) / 2
    return steps @ rates / (steps**2).sum()

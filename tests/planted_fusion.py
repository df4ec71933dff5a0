"""Cells of the fusion study whose shares are known."""

import numpy as np

from anomaly_mlflow.studies.fusion_grid import Cell
from anomaly_mlflow.studies.fusion_shares import CellResult, Pairs

N = 500
PAIRS = Pairs(np.arange(N) % 10, (np.arange(N) + 1) % 10, np.arange(N))
REPORTED = (408, 56, 36)
FACTS = {"training_accuracy": 1.0, "consistent_accuracy": 0.9, "accuracy_without_metadata": 0.5}


def outcome(counts, seeds=3):
    """int64 (seeds, n): so many pairs of each outcome, in another order in each seed."""
    whole = np.repeat(np.arange(3), counts)
    return np.stack([np.random.default_rng(seed).permutation(whole) for seed in range(seeds)])


def result(counts, cell=None, seeds=3):
    """A cell with so many answers of each outcome in each of its seeds."""
    found = outcome(counts, seeds)
    share = {"conflict": np.full(found.shape, 0.8), "consistent": np.full(found.shape, 0.6)}
    return CellResult(cell or Cell(), found, share, [FACTS] * seeds)

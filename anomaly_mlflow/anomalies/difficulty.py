"""Clean but hard: correct labels that another model, which never saw the row, hardly believes."""

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.errors import BadData, BadOption

__all__ = ["hard_rows", "out_of_fold_margin"]


def out_of_fold_margin(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probability of the true class less the largest other one, float64 (n,) in [-1, 1]; low = hard.

    logits: float (n, C), out of fold, of a model that supplies no feature to the study; labels: int64 (n,), true.
    """
    probabilities = softmax(logits.astype(np.float64), axis=1)
    rows = np.arange(len(labels))
    true = probabilities[rows, labels]
    probabilities[rows, labels] = -np.inf
    return true - probabilities.max(axis=1)


def hard_rows(margin: np.ndarray, share: float) -> np.ndarray:
    """The round(share * n) rows of the lowest margin, bool (n,); of equal ones the first.

    Raises BadOption for a share outside [0, 1], BadData for a margin that is not finite.
    """
    if not 0 <= share <= 1:
        raise BadOption(f"the share of hard rows is {share}; choose one in 0 to 1")
    if not np.isfinite(margin).all():
        raise BadData(f"{(~np.isfinite(margin)).sum()} out-of-fold margins are not finite; the baseline diverged")
    hard = np.zeros(len(margin), dtype=bool)
    hard[np.argsort(margin, kind="stable")[: round(share * len(margin))]] = True
    return hard

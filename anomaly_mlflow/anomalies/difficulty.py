"""Clean but hard: correct labels that another model, which never saw the row, or people hardly agree with."""

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.anomalies.injector import generator
from anomaly_mlflow.errors import BadData, BadOption

__all__ = ["HARD_BY", "difficulty", "disputed", "drawn_rows", "hard_rows", "matched_rows", "out_of_fold_margin"]

HARD_BY = ("margin", "boundary", "raters")


def out_of_fold_margin(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probability of the true class less the largest other one, float64 (n,) in [-1, 1]; low = hard.

    logits: float (n, C), out of fold, of a model that supplies no feature to the study; labels: int64 (n,), true.
    """
    probabilities = softmax(logits.astype(np.float64), axis=1)
    rows = np.arange(len(labels))
    true = probabilities[rows, labels]
    probabilities[rows, labels] = -np.inf
    return true - probabilities.max(axis=1)


def difficulty(margin: np.ndarray, rule: str) -> np.ndarray:
    """Higher = harder, float64 (n,): the lower the margin (rule `margin`), or the nearer to 0 (`boundary`)."""
    return -np.abs(margin) if rule == "boundary" else -margin


def disputed(raters: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rows whose raters differ while more than half of them give the true label, bool (n,).

    raters: int64 (k, n), what k people said; labels: int64 (n,), true. Peterson et al. (2019) call such images hard.
    """
    right = (raters == labels).sum(axis=0)
    return (2 * right > len(raters)) & (right < len(raters))


def hard_rows(difficulty: np.ndarray, share: float, among: np.ndarray | None = None) -> np.ndarray:
    """The round(share * n) rows of the highest difficulty, bool (n,); of equal ones the first.

    among: bool (n,), the rows that may be chosen; all by default.
    Raises BadOption for a share outside [0, 1] or too few rows, BadData for a difficulty that is not finite.
    """
    number, candidates = _checked(difficulty, share, among)
    return _hardest(difficulty, candidates, number, "hard rows")


def matched_rows(
    difficulty: np.ndarray, hard_share: float, near_miss_share: float, among: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hard rows and the rows for near misses, both bool (n,), drawn at random from one pool: the hardest rows.

    among: bool (n,), rows of a class with a near partner. The pool is just large enough for both, so that neither the
    true class nor difficulty tells one type from the other; the given label still does where pairs are not mutual.
    Raises as `hard_rows` does.
    """
    hard_number, candidates = _checked(difficulty, hard_share, among)
    number = hard_number + round(near_miss_share * len(difficulty))
    pool = _hardest(difficulty, candidates, number, "rows for hard and near_miss together")
    hard = drawn_rows(pool, hard_share, seed)
    return hard, pool & ~hard


def drawn_rows(among: np.ndarray, share: float, seed: int) -> np.ndarray:
    """round(share * n) of these rows at random, bool (n,). Raises BadOption where there are fewer."""
    number = round(share * len(among))
    _enough(among, number, "hard rows")
    order = generator(seed, "hard", "rows").permutation(len(among))
    hard = np.zeros(len(among), dtype=bool)
    hard[order[among[order]][:number]] = True
    return hard


def _checked(difficulty: np.ndarray, share: float, among: np.ndarray | None) -> tuple[int, np.ndarray]:
    if not 0 <= share <= 1:
        raise BadOption(f"the share of hard rows is {share}; choose one in 0 to 1")
    if not np.isfinite(difficulty).all():
        raise BadData(f"{(~np.isfinite(difficulty)).sum()} out-of-fold margins are not finite; the baseline diverged")
    return round(share * len(difficulty)), np.ones(len(difficulty), dtype=bool) if among is None else among


def _hardest(difficulty: np.ndarray, candidates: np.ndarray, number: int, what: str) -> np.ndarray:
    _enough(candidates, number, what)
    chosen = np.zeros(len(difficulty), dtype=bool)
    order = np.argsort(-difficulty, kind="stable")
    chosen[order[candidates[order]][:number]] = True
    return chosen


def _enough(candidates: np.ndarray, number: int, what: str) -> None:
    if candidates.sum() < number:
        raise BadOption(f"{number} {what} are asked for and {candidates.sum()} rows qualify; lower hard_share")

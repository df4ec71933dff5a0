"""How many rows to flag: a contamination that is known, or one that is read off the scores."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["estimated_contamination", "f1_ceiling", "flag", "flagged_rows", "pair_rate", "symmetric_rate"]


def flag(scores: np.ndarray, contamination: float) -> np.ndarray:
    """bool (n,): scores that reach the floor(contamination * n)-th largest, counted from 0.

    So one row more than the share is flagged, and all that tie with it. scores: float (n,), higher = more suspicious;
    contamination: 0 to 1. The rule of the code of Data Glitches Discovery (2025), KDD.
    """
    return scores >= np.sort(scores)[::-1][_position(len(scores), contamination)]


def f1_ceiling(n: int, positives: int, contamination: float) -> float:
    """The best F1 that `flag` can reach where no scores tie: all positives are among the flagged, or only they are."""
    flagged = flagged_rows(n, contamination)
    return 2 * min(flagged, positives) / (flagged + positives)


def flagged_rows(n: int, contamination: float) -> int:
    """How many of n rows `flag` takes where no scores tie."""
    return _position(n, contamination) + 1


def estimated_contamination(scores: np.ndarray, seed: int = 0) -> float:
    """Share of rows that the upper of two Gaussian components claims: what the scores themselves say, 0 to 1.

    scores: float (n,), higher = more suspicious. They are put through arcsinh(score / median |score|) first (the median
    of those that are not 0, where more than half are), which keeps the order: influence has tails over many powers of
    ten. Rows count that lie above the mean of the lower
    component and are likelier under the upper one. 0 where all scores are equal. A mixture always finds an upper part:
    a score that tells nothing apart has an estimate too, and a wrong one.
    """
    size = np.abs(scores)
    if not size.any():
        return 0.0
    scale = max(np.median(size) or np.median(size[size > 0]), 1e-300 * size.max())  # or the quotient overflows
    values = np.arcsinh(scores / scale)[:, None]
    if np.ptp(values) <= 1e-9 * max(1.0, np.abs(values).max()):
        return 0.0
    values = (values - values.mean()) / values.std()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(2, random_state=seed, n_init=3, reg_covar=1e-4).fit(values)
    upper = int(mixture.means_[:, 0].argmax())
    claimed = mixture.predict_proba(values)[:, upper] > 0.5
    return float((claimed & (values[:, 0] > mixture.means_[:, 0].min())).mean())


def symmetric_rate(agreement: float, num_classes: int) -> float:
    """Rate e of wrong labels from the agreement of held-out predictions with them, under symmetric noise, 0 to 1.

    The smaller root of agreement = (1 - e)^2 + e^2 / (C - 1), Chen et al. (2019), ICML (INCV), for a network that
    learns its labels by heart: it predicts a held-out row as if its label were drawn anew. One that resists the noise
    agrees in 1 - e of the rows, and then little more than half of e comes out. Below the least agreement that the
    formula knows, 1 / C, the rate is (C - 1) / C.
    """
    return _smaller_root(agreement, 1 / (num_classes - 1))


def pair_rate(agreement: float) -> float:
    """The same where every class is confused with one other: agreement = (1 - e)^2 + e^2, the rate at most 1/2."""
    return _smaller_root(agreement, 1.0)


def _smaller_root(agreement: float, share: float) -> float:
    under = max(0.0, 1 - (1 + share) * (1 - agreement))
    return float((1 - np.sqrt(under)) / (1 + share))


def _position(n: int, contamination: float) -> int:
    return min(n - 1, int(np.floor(contamination * n + 1e-9)))

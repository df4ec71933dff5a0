"""Whether probabilities mean what they say: pooling of members, reliability, expected calibration error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from anomaly_mlflow.detection.measures import Measure

__all__ = [
    "BINS",
    "Pool",
    "classwise_error_of",
    "confidence_error_of",
    "fit_pool",
    "reliability",
    "top_label_error_of",
]

BINS = 15


@dataclass(frozen=True)
class Pool:
    """Weights of the members, float64 (members,), and a bias for each class, float64 (classes,)."""

    weights: np.ndarray
    bias: np.ndarray

    def margins(self, members: Sequence[np.ndarray]) -> np.ndarray:
        """float64 (n, classes): weighted sum of the members' log-probabilities, plus the bias."""
        return np.tensordot(self.weights, np.stack(members), axes=1) + self.bias

    def probabilities(self, members: Sequence[np.ndarray]) -> np.ndarray:
        """float64 (n, classes): softmax of the margins."""
        return softmax(self.margins(members), axis=1)


def fit_pool(members: Sequence[np.ndarray], codes: np.ndarray) -> Pool:
    """Weights and biases of the least negative log-likelihood on rows that the members did not see.

    members: log-probabilities, float64 (n, classes) each; codes: int64 (n,), the true column of each row. A logarithmic
    opinion pool (Genest and Zidek 1986); with one member it is temperature scaling (Guo et al. 2017, On calibration of
    modern neural networks) with the biases of vector scaling, so class weights of the members are undone.
    """
    stacked = np.stack(members)
    count, n, classes = stacked.shape
    truth = np.eye(classes)[codes]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.tensordot(theta[:count], stacked, axes=1) + theta[count:]
        log_p = log_softmax(z, axis=1)
        gap = (np.exp(log_p) - truth) / n
        # A trace of ridge: a class that no row bears would send its bias to minus infinity.
        value = -(log_p * truth).sum() / n + 1e-4 * (theta[count:] ** 2).sum()
        return value, np.concatenate([np.einsum("nk,mnk->m", gap, stacked), gap.sum(axis=0) + 2e-4 * theta[count:]])

    start = np.concatenate([np.full(count, 1 / count), np.zeros(classes)])
    bounds = [(0, None)] * count + [(None, None)] * classes
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return Pool(found[:count], found[count:])


def top_label_error_of(probability: np.ndarray, codes: np.ndarray) -> Measure:
    """Top-label expected calibration error of each seed as a function of row weights: (draws, n) -> (draws, seeds).

    probability: float64 (seeds, n, classes); codes: int64 (n,). 15 bins of equal mass over the highest probability
    (Guo et al. 2017, equation 5; equal mass as in Nixon et al. 2019, Measuring calibration in deep learning): weighted
    mean over bins of |share right - mean probability|. Bins are those of all rows, in every draw. A bootstrap draw adds
    noise to each bin and so error: its interval lies a little high, which is the safe side.
    """
    return confidence_error_of(probability.max(axis=2), probability.argmax(axis=2) == codes)


def confidence_error_of(confidence: np.ndarray, right: np.ndarray) -> Measure:
    """`top_label_error_of` where of each row only its highest probability and whether it is right are known.

    confidence: float (seeds, n); right: bool (seeds, n).
    """
    gaps = [_gaps(p, hit) for p, hit in zip(confidence, right, strict=True)]
    return lambda weights: np.stack([_error(weights, one) for one in gaps], axis=1)


def classwise_error_of(probability: np.ndarray, codes: np.ndarray) -> Measure:
    """Classwise expected calibration error, as `top_label_error_of`: the mean over classes of each class's own error.

    Kull et al. (2019), Beyond temperature scaling, equation 4, with 15 bins of equal mass per class.
    """
    gaps = [[_gaps(p[:, k], codes == k) for k in range(p.shape[1])] for p in probability]
    return lambda weights: np.stack([np.mean([_error(weights, g) for g in seed], axis=0) for seed in gaps], axis=1)


def reliability(p: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """One row per bin of equal mass: mean `probability`, share `right`, `n`, lowest probability first.

    p: float64 (n,); right: bool (n,).
    """
    cell = _equal_mass(p)
    frame = pd.DataFrame({"probability": p, "right": right.astype(float), "n": 1})
    return frame.groupby(cell).agg({"probability": "mean", "right": "mean", "n": "sum"}).reset_index(drop=True)


def _gaps(p: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float64 (n, 15): what each row adds to the gap of its bin, right - p."""
    return np.eye(BINS)[_equal_mass(p)] * (right - p)[:, None]


def _error(weights: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    return np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1)


def _equal_mass(p: np.ndarray) -> np.ndarray:
    """Bin 0 .. 14 of each row; equal probabilities share a bin."""
    edges = np.quantile(p, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, p, side="right")

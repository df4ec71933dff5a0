"""T1: the AUROC of prototype distance that class means and covariances predict.

On vectors z of length 1 the cosine distance to the prototype m is linear, 1 - z.m, so that its mean and variance are
exact functions of the mean mu and the covariance S of z, whatever its distribution: 1 - mu.m and m'Sm. A Gaussian of
these moments gives the binormal AUROC (Green and Swets 1966); a Gamma of the same moments (two-moment matching,
Satterthwaite 1946) is positive and skewed as distances are, and gives a ratio of Gammas, hence a beta integral.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc
from scipy.stats import norm
from sklearn.preprocessing import normalize

__all__ = ["DistanceMoments", "distance_moments", "gamma_auroc", "gaussian_auroc", "prototypes_of"]


@dataclass(frozen=True)
class DistanceMoments:
    """Mean and variance of the distance of class a's rows to class b's prototype: float64 (C, C) each, [a, b].

    NaN where a has under two rows or b has no prototype.
    """

    mean: np.ndarray
    variance: np.ndarray


def prototypes_of(unit: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Class means scaled to length 1, float64 (C, d), as `prototype_distance` uses them; NaN for a class of no rows.

    unit: float64 (n, d), rows of length 1; labels: int64 (n,).
    """
    found = np.full((num_classes, unit.shape[1]), np.nan)
    for label in np.unique(labels):
        found[label] = normalize(unit[labels == label].mean(axis=0)[None])[0]
    return found


def distance_moments(unit: np.ndarray, labels: np.ndarray, prototypes: np.ndarray) -> DistanceMoments:
    """Moments of 1 - z.m from class means and covariances: 1 - mu_a.m_b and m_b' S_a m_b.

    unit: float64 (n, d), rows of length 1; labels: int64 (n,); prototypes: float64 (C, d), of length 1.
    """
    shape = (len(prototypes), len(prototypes))
    mean, variance = np.full(shape, np.nan), np.full(shape, np.nan)
    for label, count in enumerate(np.bincount(labels, minlength=len(prototypes))):
        if count < 2:
            continue
        rows = unit[labels == label]
        mean[label] = 1 - prototypes @ rows.mean(axis=0)
        variance[label] = np.einsum("bi,ij,bj->b", prototypes, np.cov(rows, rowvar=False), prototypes)
    return DistanceMoments(mean, variance)


def gaussian_auroc(moments: DistanceMoments) -> np.ndarray:
    """P(distance of a row of a to m_b > that of a row of b), both Gaussian: float64 (C, C), [a, b].

    Phi((E_a - E_b) / sqrt(V_a + V_b)); NaN on the diagonal, where it would be .5.
    """
    mean, variance = moments.mean, moments.variance
    with np.errstate(divide="ignore", invalid="ignore"):  # of a class without spread
        return _off_diagonal(norm.cdf((mean - np.diag(mean)) / np.sqrt(variance + np.diag(variance))))


def gamma_auroc(moments: DistanceMoments) -> np.ndarray:
    """The same with both distances Gamma: float64 (C, C), [a, b].

    Shape k = E^2 / V, scale q = V / E; then P(A > B) = I_x(k_B, k_A), the regularised incomplete beta function at
    x = q_A / (q_A + q_B), for of independent unit Gammas the share of one in the sum is Beta(k_B, k_A).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        shape, scale = moments.mean**2 / moments.variance, moments.variance / moments.mean
        return _off_diagonal(betainc(np.diag(shape), shape, scale / (scale + np.diag(scale))))


def _off_diagonal(values: np.ndarray) -> np.ndarray:
    return np.where(np.eye(len(values), dtype=bool), np.nan, values)

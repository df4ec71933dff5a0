"""The spread of embeddings, turned into a matrix that measures Mahalanobis distances."""

import numpy as np
from sklearn.covariance import LedoitWolf

__all__ = ["whitening"]

SINGULAR = 1e-10
"""Eigenvalues below this share of the largest one are rounding of float32 embeddings."""


def whitening(residuals: np.ndarray) -> np.ndarray:
    """float64 (d, d): W with |x W|^2 = x^T S^-1 x, S the covariance of centred residuals (r, d).

    Where S is singular (fewer rows than dimensions, units that never fire), its Ledoit-Wolf shrinkage is taken
    (Ledoit and Wolf, 2004, Journal of Multivariate Analysis 88). W is 0 where nothing spreads at all.
    """
    values, vectors = np.linalg.eigh(residuals.T @ residuals / len(residuals))
    if values[-1] <= 0:
        return np.zeros_like(vectors)
    if values[0] <= SINGULAR * values[-1]:
        values, vectors = np.linalg.eigh(LedoitWolf(assume_centered=True).fit(residuals).covariance_)
    return vectors / np.sqrt(np.maximum(values, SINGULAR * values[-1]))

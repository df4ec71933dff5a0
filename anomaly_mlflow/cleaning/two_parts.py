"""A mixture of two Gaussians on one number per row: which part a row lies in, and how far apart the parts are."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["TwoParts", "two_parts"]

SPREAD = 5e-4
"""Added to both variances of values scaled to 0 .. 1, as in the code of DivideMix (Li et al. 2020)."""


@dataclass(frozen=True)
class TwoParts:
    """lower: float64 (n,), posterior of the lower component, never rising with the value.

    separation: |mean - mean| / sqrt((variance + variance) / 2), Ashman, Bird and Zepf (1994); above 2 the parts are
    called clearly apart.
    """

    lower: np.ndarray
    separation: float


def two_parts(values: np.ndarray) -> TwoParts:
    """Fit to float (n,), scaled to 0 .. 1 first; all in the lower part, separation 0, where all values are equal.

    Begins at the 10th and 90th percentile: nothing is drawn. Beyond the means the posterior is that at the means, so
    that a wide component does not claim both ends.
    """
    scaled = np.asarray(values, np.float64) - np.min(values)
    if not scaled.any():
        return TwoParts(np.ones(len(scaled)), 0.0)
    scaled /= scaled.max()
    precision = np.full((2, 1, 1), 1 / (scaled.var() + SPREAD))
    mixture = GaussianMixture(
        2,
        reg_covar=SPREAD,
        init_params="random_from_data",
        random_state=0,
        weights_init=[0.5, 0.5],
        means_init=np.percentile(scaled, [10, 90])[:, None] + [[0], [1e-6]],
        precisions_init=precision,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(scaled[:, None])
    means, order = mixture.means_[:, 0], np.argsort(mixture.means_[:, 0])
    within = np.clip(scaled, *means[order])[:, None]
    separation = np.ptp(means) / np.sqrt(mixture.covariances_[:, 0, 0].mean())
    return TwoParts(mixture.predict_proba(within)[:, order[0]], float(separation))

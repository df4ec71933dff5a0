"""Two components of the losses of the given labels: the lower one is believed."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["small_loss_posterior"]


def small_loss_posterior(losses: np.ndarray, labels: np.ndarray | None, seed: int) -> np.ndarray:
    """Posterior of the component of the lower mean, float64 (n,); with labels, int64 (n,), a mixture for each class."""
    if labels is None:
        return _posterior(losses, seed)
    posterior = np.empty(len(losses))
    for label in np.unique(labels):
        posterior[labels == label] = _posterior(losses[labels == label], seed)
    return posterior


def _posterior(losses: np.ndarray, seed: int) -> np.ndarray:
    spread = np.ptp(losses)
    if len(losses) < 2 or spread <= 1e-9:
        return np.ones(len(losses))
    scaled = ((losses - losses.min()) / spread)[:, None].astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=seed).fit(scaled)
    return mixture.predict_proba(scaled)[:, mixture.means_[:, 0].argmin()]

"""Two Gaussians in one dimension: the lower is taken for right labels, the upper for wrong ones."""

import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["LEAST_ROWS", "lower_posterior", "lower_posterior_by_class"]

LEAST_ROWS = 50
"""A class of fewer rows has no mixture of its own."""

EQUAL = 1e-9


def lower_posterior(values: np.ndarray, seed: int = 0, **constants: float) -> np.ndarray:
    """Posterior of the Gaussian of the lower mean, float64 (n,), 0 to 1, that never rises with the value.

    values: float (n,), higher = more suspicious; constants: of scikit-learn's GaussianMixture. The plain posterior
    turns over in the tail that the wider Gaussian claims; here it stays what it is at its turning point. Where one
    Gaussian explains the values as well (BIC: Schwarz 1978), or all are equal, no group is there to be told apart: the
    answer then keeps the order alone and lies above .5 throughout. Equal for every order of the rows.
    """
    mixture = _two_groups(values, seed, constants)
    return _order_alone(values) if mixture is None else _posterior(mixture, values)


def lower_posterior_by_class(values: np.ndarray, labels: np.ndarray, seed: int = 0, **constants: float) -> np.ndarray:
    """`lower_posterior` with a mixture for each given class, float64 (n,).

    A class of fewer than 50 rows takes the posterior of all rows together. One in which there are no two groups keeps
    all of its rows, however hard it is beside the others.
    """
    posterior = lower_posterior(values, seed, **constants)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) >= LEAST_ROWS:
            posterior[members] = lower_posterior(values[members], seed, **constants)
    return posterior


def _two_groups(values: np.ndarray, seed: int, constants: dict[str, float]) -> GaussianMixture | None:
    if np.ptp(values) <= EQUAL * max(1.0, np.abs(values).max()):
        return None
    ordered = np.sort(values)[:, None]  # or the start of the fit, and with it the answer, would hang on the rows' order
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the methods stop after few rounds on purpose
        one, two = (GaussianMixture(k, random_state=seed, **constants).fit(ordered) for k in (1, 2))
    return two if two.bic(ordered) < one.bic(ordered) else None


def _posterior(mixture: GaussianMixture, values: np.ndarray) -> np.ndarray:
    lower, upper = np.argsort(mixture.means_[:, 0])
    mean, variance = mixture.means_[:, 0], mixture.covariances_[:, 0, 0]
    if variance[lower] != variance[upper]:
        turn = mean[lower] * variance[upper] - mean[upper] * variance[lower]
        beyond = np.maximum if variance[upper] > variance[lower] else np.minimum
        values = beyond(values, turn / (variance[upper] - variance[lower]))
    return mixture.predict_proba(values[:, None])[:, lower]


def _order_alone(values: np.ndarray) -> np.ndarray:
    return 1 - (rankdata(values) - 0.5) / (2 * len(values))

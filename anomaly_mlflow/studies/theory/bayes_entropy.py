"""T2: label-free entropy at the Bayes optimum of noisy labels.

With P(given = b | true = a) = T[a, b] for all images, the predictor of least expected cross-entropy outputs the noisy
posterior eta~(x) = T' eta(x) (Patrini et al. 2017, CVPR, theorem 2; Natarajan et al. 2013). Its entropy is a function
of the image alone: of two types it can tell only what lies where.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import entr, log_softmax, softmax

from anomaly_mlflow.errors import BadData

__all__ = ["bayes_entropy", "calibrated", "noisy_posterior", "transition"]

LOG_TEMPERATURE = (-3.0, 3.0)


def calibrated(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Temperature of least cross-entropy and the posterior softmax(logits / temperature), float64 (n, C).

    logits: float (n, C), out of fold; labels: int64 (n,), true (Guo et al. 2017, ICML, temperature scaling).
    """
    values, rows = logits.astype(np.float64), np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -log_softmax(values / np.exp(log_temperature), axis=1)[rows, labels].mean()

    temperature = float(np.exp(minimize_scalar(loss, bounds=LOG_TEMPERATURE, method="bounded").x))
    return temperature, softmax(values / temperature, axis=1)


def transition(true: np.ndarray, given: np.ndarray, num_classes: int) -> np.ndarray:
    """Rates P(given = b | true = a), float64 (C, C), rows sum to 1; true, given: int64 (n,).

    Raises BadData for a class without rows: nothing is known of its noise.
    """
    count = np.zeros((num_classes, num_classes))
    np.add.at(count, (true, given), 1)
    if not count.sum(axis=1).all():
        raise BadData(f"class {count.sum(axis=1).argmin()} has no rows whose true label is known; use a larger subset")
    return count / count.sum(axis=1, keepdims=True)


def noisy_posterior(posterior: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """eta~(x) = T' eta(x): float64 (n, C). posterior: (n, C), of the true label; rates: (C, C), as `transition`."""
    return posterior @ rates


def bayes_entropy(posterior: np.ndarray, rates: np.ndarray, spared: np.ndarray | None = None) -> np.ndarray:
    """Entropy of the noisy posterior in nats, float64 (n,), higher = less sure.

    spared: bool (n,), rows in a region that the noise leaves out: there the noisy posterior is the clean one.
    """
    found = noisy_posterior(posterior, rates)
    if spared is not None:
        found = np.where(spared[:, None], posterior, found)
    return entr(found).sum(axis=1)

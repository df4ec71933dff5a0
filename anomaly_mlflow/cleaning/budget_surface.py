"""Accuracy as a function of the number of labels and of the share of wrong ones, beyond what was measured too."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import curve_fit
from scipy.stats import t

from anomaly_mlflow.cleaning.budget import AccuracyGrid
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.errors import BadData

__all__ = ["Surface", "fit_surface", "over_seeds"]

START = (0.1, 1.0, 0.5, 2.0)
LIMITS = ([0, 0, 0.01, 0], [1, 100, 3, 8])


@dataclass(frozen=True)
class Surface:
    """A fitted learning curve for each seed; coefficients: float64 (seeds, 4), those of `fit_surface`."""

    grid: AccuracyGrid
    coefficients: np.ndarray

    def accuracy(self, labels: float, rate: float) -> np.ndarray:
        """What each seed's curve says of so many labels, of which this share is wrong; float64 (seeds,), 0..1."""
        scale = 1 - rate * self.grid.classes / (self.grid.classes - 1)
        return np.clip(1 - np.array([_error((labels, scale), *one) for one in self.coefficients]), 0, 1)

    def measured(self, labels: float, rate: float) -> bool:
        """Whether the place lies within the grid; elsewhere the curve extrapolates."""
        inside = self.grid.sizes[0] <= labels <= self.grid.sizes[-1]
        return bool(inside and self.grid.rates[0] <= rate <= self.grid.rates[-1])


def fit_surface(grid: AccuracyGrid) -> Surface:
    """Error = a + b (n / n_0)_eff^(-g) by least squares, where n_eff = n (1 - r C / (C - 1))^k counts labels by worth.

    A power law in the number of labels (Cortes et al. 1993, NIPS), which wrong ones shrink: k = 2 in the bound of
    Angluin and Laird (1988). The combination is this project's own. n_0: the smallest size. Raises BadData for a grid
    of fewer than three sizes or two rates, and where the fit fails.
    """
    if len(grid.sizes) < 3 or len(grid.rates) < 2:
        raise BadData("a learning curve needs three numbers of labels and two error rates at least; measure more")
    n, rate = (each.ravel() for each in np.meshgrid(grid.sizes, grid.rates, indexing="ij"))
    place = np.stack([n, 1 - rate * grid.classes / (grid.classes - 1)])
    first = float(grid.sizes[0])
    found = []
    for one in grid.accuracy:
        try:
            fitted, _ = curve_fit(_relative(first), place, 1 - one.ravel(), p0=START, bounds=LIMITS, max_nfev=5000)
        except RuntimeError:
            raise BadData("no learning curve fits these accuracies; measure more sizes or seeds") from None
        a, b, g, k = fitted
        found.append([a, b * first**g, g, k])
    return Surface(grid, np.array(found))


def over_seeds(values: np.ndarray, level: float = 0.95) -> Interval:
    """Mean over seeds and interval by Student's t, NaN ends for one seed.

    Seeds share their rows: it holds what the draw of rows and errors adds, and is rather too narrow for another set.
    """
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, np.nan, np.nan)
    half = float(t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return Interval(mean, mean - half, mean + half)


def _relative(first: float) -> Callable[..., np.ndarray]:
    return lambda place, a, b, g, k: _error((place[0] / first, place[1]), a, b, g, k)


def _error(place: tuple, a: float, b: float, g: float, k: float) -> np.ndarray:
    labels, scale = place
    return a + b * (labels * scale**k) ** -g

"""T3: kernel gradient flow, the training of a network that stays near its linearisation.

Squared loss under gradient flow moves the outputs on the training rows by df/dt = -K (f - Y) / m (Jacot et al. 2018;
Lee et al. 2019), hence Y - f_t = exp(-K t / m) (Y - f_0): what of the labels lies along an eigenvector of K is learnt
at the rate of its eigenvalue (Saxe et al. 2014 for linear networks). Labels that follow the leading eigenvectors come
first; wrong labels lie mostly along the small ones and come last (Li, Soltanolkotabi and Oymak 2020).
Here K = z.z' + 1 on unit vectors z, a linear model with bias on a fixed embedding, and f_0 = 1 / C.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Flow"]

NEGLIGIBLE = 1e-10  # of the largest singular value: directions that rounding alone fills


@dataclass(frozen=True)
class Flow:
    """The flow on the rows of one encoder.

    unit: float64 (m, d), rows of length 1; labels: int64 (m,), as given; num_classes: C. Times are in units of 1 over
    an eigenvalue of K / m.
    """

    unit: np.ndarray
    labels: np.ndarray
    num_classes: int

    def output(self, time: float) -> np.ndarray:
        """f_t on the rows themselves, float64 (m, C); rows sum to 1."""
        basis, rates, along = self._spectrum
        return 1 / self.num_classes + basis @ (-np.expm1(-rates * time)[:, None] * along)

    def loss(self, time: float) -> np.ndarray:
        """|f_t(x) - y|^2 of each row, float64 (m,): the Brier score where f_t is a distribution."""
        return ((self.output(time) - self._one_hot) ** 2).sum(axis=1)

    def correct(self, time: float) -> np.ndarray:
        """bool (m,): the given label has the largest output."""
        return self.output(time).argmax(axis=1) == self.labels

    def total_loss(self, time: float) -> float:
        """Sum of `loss` over the rows, from the spectrum alone."""
        _, rates, along = self._spectrum
        learnt = -np.expm1(-2 * rates * time)
        return float(self._start_loss - (learnt[:, None] * along**2).sum())

    @property
    def _start_loss(self) -> float:
        return len(self.labels) * (1 - 1 / self.num_classes)

    @cached_property
    def _one_hot(self) -> np.ndarray:
        return np.eye(self.num_classes)[self.labels]

    @cached_property
    def _spectrum(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eigenvectors (m, r) of K, eigenvalues of K / m (r,), and the centred labels along them (r, C)."""
        features = np.concatenate([self.unit, np.ones((len(self.unit), 1))], axis=1)
        basis, singular, _ = np.linalg.svd(features, full_matrices=False)
        kept = singular > NEGLIGIBLE * singular[0]
        rates = singular[kept] ** 2 / len(self.unit)
        return basis[:, kept], rates, basis[:, kept].T @ (self._one_hot - 1 / self.num_classes)

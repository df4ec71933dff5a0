"""What one training of the noisy model looked like."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Curves"]


@dataclass(frozen=True)
class Curves:
    """Trajectories of one seed.

    loss (nats), confidence: float (epochs, n), of the given label, rows in the order of the ledger;
    test_accuracy: float (epochs,) in 0..1, empty where it was not measured.
    """

    loss: np.ndarray
    confidence: np.ndarray
    test_accuracy: np.ndarray

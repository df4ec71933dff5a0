"""Labelled rows whose effect is planted, for the tests of detectors and sweeps."""

import numpy as np

from anomaly_mlflow.detection.labelled import Labelled

COLUMNS = ("label.loss", "dynamics.mean_loss", "uncertainty.entropy", "geometry.knn_distance", "image.blur")


def planted(n=240, effect=2.0, share=0.25, seeds=1, seed=0, groups=None):
    """Rows of which the first column tells the sides apart, the others nothing; levels as wild as real signals'."""
    generator = np.random.default_rng(seed)
    positive = generator.permutation(np.arange(n) < round(share * n))
    own = generator.normal(size=(n, len(COLUMNS)))
    own[:, 0] += effect * positive
    X = np.stack([own + 0.1 * generator.normal(size=own.shape) for _ in range(seeds)]) * [1, 100, 1, 1e-3, 1] + 5
    return Labelled(X, COLUMNS, positive, np.arange(n) if groups is None else groups, np.arange(n) * 7)

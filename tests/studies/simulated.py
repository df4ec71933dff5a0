"""Studies of a world whose truth is known: Gaussian signals of near misses and hard images, correlated as real ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.studies.claims import DYNAMICS, UNCERTAINTY

# How much of each signal is difficulty, which needs no label, and of what only the given label shows.
SEEN = {
    **{column: (u, 0.0) for column, u in zip(UNCERTAINTY.columns, np.linspace(0.95, 0.6, 6), strict=True)},
    **{
        column: (first, second)
        for column, first, second in zip(
            DYNAMICS.columns, np.linspace(0.8, 0.3, 16), np.linspace(0.2, 0.8, 16), strict=True
        )
    },
}
SEED_NOISE = 0.5  # what a seed of the noisy model adds, in standard deviations of what is common to all seeds


@dataclass(frozen=True)
class World:
    """Near misses lie these standard deviations above hard images in both factors; n of each, seeds of the model.

    seed_spread: standard deviation over seeds of the first shift.
    """

    difficulty: float
    label: float
    n: int = 500
    seeds: int = 3
    seed_spread: float = 0.0

    def auroc(self, columns):
        """The largest AUROC that any linear detector on these signals can reach: Phi(d' / sqrt 2)."""
        loads = np.array([SEEN[column] for column in columns])
        shift = loads @ [self.difficulty, self.label]
        covariance = loads @ loads.T + np.diag(1 - (loads**2).sum(axis=1))
        return float(norm.cdf(np.sqrt(shift @ np.linalg.solve(covariance, shift) / 2)))

    @property
    def gain(self):
        """The true paired difference of H3."""
        return self.auroc(DYNAMICS.columns) - self.auroc(UNCERTAINTY.columns)

    def study(self, number):
        """Feature tables, one per seed, and ledger."""
        generator, near = np.random.default_rng(number), np.arange(2 * self.n) < self.n
        kinds = np.where(near, str(AnomalyType.NEAR_MISS), str(AnomalyType.HARD))
        ledger = pd.DataFrame({"sample_id": np.arange(2 * self.n), "anomaly_type": kinds, "source": ""})
        loads = np.array(list(SEEN.values()))
        common = generator.normal(size=(2 * self.n, 2)), generator.normal(size=(2 * self.n, len(loads)))
        frames = []
        for _ in range(self.seeds):
            factors, rest = (_with_noise(part, generator) for part in common)
            shift = self.difficulty + self.seed_spread * generator.normal()
            factors += np.outer(near, [shift, self.label])
            values = factors @ loads.T + rest * np.sqrt(1 - (loads**2).sum(axis=1))
            frames.append(pd.DataFrame(values, columns=list(SEEN)).assign(sample_id=ledger["sample_id"]))
        return frames, ledger


def _with_noise(common, generator):
    return (common + SEED_NOISE * generator.normal(size=common.shape)) / np.sqrt(1 + SEED_NOISE**2)

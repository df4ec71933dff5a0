"""Feature tables and ledgers whose effects are planted, for the tests of detection, studies and report."""

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType as T
from anomaly_mlflow.studies.claims import CLAIMS

COLUMNS = (
    "uncertainty.entropy",
    "uncertainty.top2_margin",
    "label.loss",
    "geometry.prototype_distance",
    "geometry.knn_distance",
    "dynamics.area_under_margin",
    "dynamics.final_loss",
)
COUNTS = {T.CLEAN: 400, T.HARD: 120, T.NEAR_MISS: 120, T.GROSS: 80, T.RANDOM_FLIP: 80, T.OOD: 80}
FAR = {T.GROSS: 4.0, T.OOD: 4.0, T.RANDOM_FLIP: 3.0, T.NEAR_MISS: 1.0, T.HARD: 1.0}
# H1, H2 and H3 as the outline states them: dynamics alone tell near misses from hard rows.
AS_CLAIMED = {
    "uncertainty.entropy": {T.NEAR_MISS: 1.0, T.HARD: 1.0, T.OOD: 3.0},
    "geometry.prototype_distance": FAR,
    "geometry.knn_distance": {T.OOD: 3.0},
    "label.loss": FAR,
    "dynamics.area_under_margin": {**FAR, T.NEAR_MISS: 3.0},
}


def ledger(counts=COUNTS, seed=0):
    types = np.repeat([str(kind) for kind in counts], list(counts.values()))
    generator = np.random.default_rng(seed)
    types = generator.permutation(types)
    n = len(types)
    labels = generator.integers(0, 3, n)
    return pd.DataFrame(
        {
            "sample_id": generator.permutation(10 * n)[:n].astype(np.int64),
            "anomaly_type": types,
            "true_label": np.where(types == T.OOD, -1, labels),
            "given_label": np.where(np.isin(types, [T.CLEAN, T.HARD]), labels, (labels + 1) % 3),
            "source": "",
            "severity": 0.0,
        }
    )


def features(truth, shifts=AS_CLAIMED, seeds=2, seed=0, noise=0.5):
    """One frame per seed of the noisy model: what is common to a sample, plus noise of the seed."""
    generator = np.random.default_rng(seed)
    types = truth["anomaly_type"].to_numpy()
    own = generator.normal(size=(len(truth), len(COLUMNS)))
    for position, column in enumerate(COLUMNS):
        for kind, shift in shifts.get(column, {}).items():
            own[types == kind, position] += shift
    frames = []
    for _ in range(seeds):
        values = own + noise * generator.normal(size=own.shape)
        frame = pd.DataFrame(values, columns=list(COLUMNS))
        frame.insert(0, "sample_id", truth["sample_id"].to_numpy())
        frames.append(frame.sample(frac=1, random_state=int(generator.integers(1000))).reset_index(drop=True))
    return frames


def whole(frames):
    """The same with every signal of the claims' arms: those that were not planted are constant and tell nothing."""
    columns = {column for claim in CLAIMS for part in claim.parts for arm in part.arms for column in arm.columns}
    return [frame.assign(**dict.fromkeys(sorted(columns - set(frame.columns)), 0.0)) for frame in frames]

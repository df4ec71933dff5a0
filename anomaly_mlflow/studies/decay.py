"""How a model decays under growing damage: curves, the area under them, and what equal distortion for an eye costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.graded_corruptions import Corruption
from anomaly_mlflow.detection.calibration import confidence_error_of
from anomaly_mlflow.detection.measures import mean_of
from anomaly_mlflow.studies.resampled import Resampled, resample

__all__ = ["MEASURES", "SIMILARITIES", "Decay", "area", "at_similarity", "down_to", "measure_decay", "output_columns"]

MEASURES = {
    "accuracy": "accuracy",
    "entropy": "mean entropy, nats",
    "calibration": "expected calibration error of the predicted class, 15 bins of equal mass",
}
SIMILARITIES = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Mean SSIM at which corruptions are compared."""

GRID = 101


@dataclass(frozen=True)
class Decay:
    """One model, over its seeds. figures: columns `corruption.level.measure`; similarity: corruption -> mean SSIM of
    its levels; rows: test images; facts: what is known of the model (name, test accuracy, images it was trained on)."""

    model: str
    figures: Resampled
    similarity: Mapping[str, np.ndarray]
    rows: int
    seeds: int
    facts: Mapping[str, object]


def output_columns(name: str, log_probability: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """What is kept of a pass over the test rows: `name.right` (bool), `.entropy` (nats) and `.confidence`, each (n,).

    log_probability: float64 (n, classes); labels: int64 (n,), the true ones.
    """
    probability = np.exp(log_probability)
    return {
        f"{name}.right": log_probability.argmax(axis=1) == labels,
        f"{name}.entropy": -(probability * log_probability).sum(axis=1),
        f"{name}.confidence": probability.max(axis=1),
    }


def measure_decay(
    outputs: Sequence[pd.DataFrame], corruptions: Sequence[Corruption], *, draws: int = 2000, seed: int = 0
) -> Resampled:
    """Every measure at every level of every corruption: columns `corruption.level.measure`.

    outputs: one frame a seed over the same test rows: label, group, and `output_columns` of `corruption.level` each.
    Seeds and, within each class, groups are drawn once for all columns.
    """
    measures = {}
    for name, level in ((one.name, level) for one in corruptions for level in range(len(one.severities))):
        key = f"{name}.{level}"
        right, entropy, confidence = (
            np.stack([one[f"{key}.{kind}"] for one in outputs]) for kind in ("right", "entropy", "confidence")
        )
        measures[f"{key}.accuracy"] = mean_of(right)
        measures[f"{key}.entropy"] = mean_of(entropy)
        measures[f"{key}.calibration"] = confidence_error_of(confidence, right)
    labels, groups = (outputs[0][name].to_numpy() for name in ("label", "group"))
    return resample(measures, labels, groups, draws=draws, seed=seed)


def area(figures: pd.DataFrame, corruption: Corruption, measure: str = "accuracy") -> np.ndarray:
    """Area under the curve by its range, float64 (rows,): the mean over severities, by the trapezoid rule."""
    severities = np.array(corruption.severities, np.float64)
    return np.trapezoid(_levels(figures, corruption, measure), severities, axis=1) / np.ptp(severities)


def at_similarity(
    figures: pd.DataFrame, corruption: Corruption, similarity: np.ndarray, wanted: float, measure: str = "accuracy"
) -> np.ndarray:
    """A measure where the mean SSIM is the wanted one, float64 (rows,): between two levels on the line through them.

    similarity: float (levels,), of the corruption; NaN where it never gets so low.
    """
    if wanted < similarity.min():
        return np.full(len(figures), np.nan)
    return _levels(figures, corruption, measure) @ _weights(similarity, wanted)


def down_to(figures: pd.DataFrame, corruption: Corruption, similarity: np.ndarray, floor: float) -> np.ndarray:
    """Mean accuracy over all SSIM from 1 down to the floor, float64 (rows,); floor: one that the corruption reaches."""
    weights = [_weights(similarity, wanted) for wanted in np.linspace(1, floor, GRID)]
    return _levels(figures, corruption, "accuracy") @ np.mean(weights, axis=0)


def _levels(figures: pd.DataFrame, corruption: Corruption, measure: str) -> np.ndarray:
    """float64 (rows, levels)."""
    return figures[[f"{corruption.name}.{level}.{measure}" for level in range(len(corruption.severities))]].to_numpy()


def _weights(similarity: np.ndarray, wanted: float) -> np.ndarray:
    """float64 (levels,): how much each level counts at this similarity, which falls from level to level."""
    falling = np.minimum.accumulate(similarity)
    units = np.eye(len(falling))
    return np.array([np.interp(wanted, falling[::-1], unit[::-1]) for unit in units])

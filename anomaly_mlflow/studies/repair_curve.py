"""What a repair does to the labels, by how sure its witnesses must be: what a default can be chosen by."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.base import Cleaned
from anomaly_mlflow.cleaning.repair import repairs
from anomaly_mlflow.detection.measures import Measure, mean_of
from anomaly_mlflow.studies.repair_measures import parts_of
from anomaly_mlflow.studies.resampled import Resampled, over_seeds, resample

__all__ = ["CONFIDENCES", "repair_curve", "repair_figures"]

CONFIDENCES = (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)


def repair_figures(
    labels: np.ndarray,
    true_label: np.ndarray,
    groups: np.ndarray,
    cleaned: Mapping[str, Cleaned],
    confidences: Sequence[float] = CONFIDENCES,
    *,
    cap: float,
    draws: int = 2000,
    seed: int = 0,
) -> Resampled:
    """`repair_measures.MEASURES` for each least confidence, as `0.9.mended`, all on the same draws of groups.

    labels, true_label (-1 for images of no class), groups: int64 (n,), of rows in the order of `cleaned`.
    """
    measures: dict[str, Measure] = {}
    for least in confidences:
        frame = repairs(np.arange(len(labels)), labels, cleaned, cap=cap, least_confidence=least)
        parts = parts_of(frame, true_label)
        measures |= {f"{float(least)!r}.{name}": mean_of(*part) for name, part in parts.items()}
    return resample(measures, labels, groups, draws=draws, seed=seed)


def repair_curve(noise: str, seeds: Sequence[Resampled], chosen: float, seed: int = 0) -> pd.DataFrame:
    """noise, repair_confidence, chosen (bool), then of each measure its mean over seeds, `_low` and `_high` (95 %)."""
    found, rows = over_seeds(seeds, seed), {}
    for name in found.value.index:
        least, _, measure = name.rpartition(".")
        one = found.interval(name)
        row = rows.setdefault(least, {"noise": noise, "repair_confidence": float(least)})
        row |= {"chosen": float(least) == chosen}
        row |= {measure: one.value, f"{measure}_low": one.low, f"{measure}_high": one.high}
    return pd.DataFrame(rows.values()).sort_values("repair_confidence", ignore_index=True)

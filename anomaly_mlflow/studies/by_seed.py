"""What each seed of the noisy model says by itself."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import interval
from anomaly_mlflow.studies.base import Claim, arms_of
from anomaly_mlflow.studies.claims import CLAIMS
from anomaly_mlflow.studies.comparison import Comparison, compare
from anomaly_mlflow.studies.hypotheses import joined

__all__ = ["COLUMNS", "auroc_by_seed"]

COLUMNS = ["claim", "arm", "metric", "seed", "value", "low", "high", "n"]


def auroc_by_seed(
    features_list: Sequence[pd.DataFrame],
    training_seeds: Sequence[int],
    ledger: pd.DataFrame,
    groups: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 2000,
    claims: Sequence[Claim] = CLAIMS,
) -> pd.DataFrame:
    """AUROC of every arm of these claims in every seed, with the 95 % interval over source groups alone.

    features_list, training_seeds: a table and its number for each seed of the noisy model; groups: as `judge` takes
    them. The folds and models are those of `judge`. Columns: claim, arm, metric (`near_miss_vs_hard.auroc`), seed,
    value, low, high, n; a pair of types with too few rows has no row. Raises as `judge` does.
    """
    tables, rows = joined(features_list, ledger, groups), []
    for claim in claims:
        arms = arms_of(claim)
        for part in {part.comparison: part for part in claim.parts}.values():
            found = compare(tables, np.asarray(groups), part, arms[part.comparison], seed)
            for row in () if found is None else _of_seeds(found, training_seeds, draws, seed):
                rows.append((claim.name, row[0], f"{part.comparison}.auroc", *row[1:]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_seeds(found: Comparison, training_seeds: Sequence[int], draws: int, seed: int) -> Iterator[tuple[Any, ...]]:
    for name in found.probability:
        for number, training_seed in enumerate(training_seeds):
            measure = found.of_seed(number).auroc_of_arm(name)
            ends = interval(measure, found.positive, found.groups, draws=draws, seed=seed)[0]
            yield name, training_seed, ends.value, ends.low, ends.high, len(found.positive)

"""Held-out scores of several arms on one pair of types, over the same folds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.classifiers import folds, held_out_probabilities, within_fold_ranks
from anomaly_mlflow.detection.measures import Measure, auroc_of, difference_of, rates_of
from anomaly_mlflow.detection.table import matrix
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.studies.base import Arm, Part

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Positives against negatives, as each arm scores them on held-out rows.

    positive: bool (n,); ranks, probability: per arm float64 (seeds, n), ranks within the fold and probabilities.
    """

    positive: np.ndarray
    ranks: dict[str, np.ndarray]
    probability: dict[str, np.ndarray]

    def auroc(self, arms: Sequence[Arm]) -> Measure:
        """AUROC of one arm, or of the first less that of the second."""
        measures = [auroc_of(self.ranks[arm.name], self.positive) for arm in arms]
        return difference_of(*measures) if len(measures) == 2 else measures[0]

    def rates(self, arm: Arm) -> Measure:
        """Precision, recall and F1 of calling positive what has probability .5 or more."""
        return rates_of(self.probability[arm.name] >= 0.5, self.positive)


def compare(
    tables: Sequence[pd.DataFrame], groups: np.ndarray, part: Part, arms: Iterable[Arm], seed: int
) -> Comparison | None:
    """The types of this part, told apart by each arm; None where a type has too few rows or source groups.

    tables: as `join` gives them, one per seed of the noisy model; folds are the same for all arms and seeds, which
    makes arms comparable row by row. Raises BadData where signals of an arm are missing.
    """
    types = tables[0]["anomaly_type"].to_numpy()
    rows = np.flatnonzero((types == part.positives) | (types == part.negatives))
    positive = types[rows] == part.positives
    try:
        fold = folds(positive, groups[rows], seed)
    except BadData:
        return None
    ranks, probability = {}, {}
    for arm in arms:
        X = [matrix(table, arm.families, arm.extra)[1][rows] for table in tables]
        probability[arm.name] = np.stack([held_out_probabilities(values, positive, fold) for values in X])
        ranks[arm.name] = np.stack([within_fold_ranks(scores, fold) for scores in probability[arm.name]])
    return Comparison(positive, ranks, probability)

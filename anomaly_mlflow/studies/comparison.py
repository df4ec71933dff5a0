"""Held-out scores of several arms on one pair of types, over the same folds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.classifiers import folds, held_out_probabilities
from anomaly_mlflow.detection.measures import Measure, auroc_of, difference_of, rates_of
from anomaly_mlflow.detection.table import matrix
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.studies.base import Arm, Part

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Positives against negatives, as each arm scores them on held-out rows.

    positive: bool (n,); groups: int64 (n,), rows of one source share a number; fold: int64 (n,), where each row was
    held out; probability: per arm float64 (seeds, n); signal: per signal of an arm float64 (seeds, n), as extracted.
    """

    positive: np.ndarray
    groups: np.ndarray
    fold: np.ndarray
    probability: dict[str, np.ndarray]
    signal: dict[str, np.ndarray]

    def auroc(self, arms: Sequence[Arm]) -> Measure:
        """Fold-stratified AUROC of one arm, or of the first less that of the second."""
        measures = [self.auroc_of_arm(arm.name) for arm in arms]
        return difference_of(*measures) if len(measures) == 2 else measures[0]

    def auroc_of_arm(self, name: str) -> Measure:
        """Fold-stratified AUROC of the arm of this name."""
        return auroc_of(self.probability[name], self.positive, self.fold)

    def auroc_of_signal(self, column: str) -> Measure:
        """AUROC of one signal by itself: nothing is fitted, so that all rows compare."""
        return auroc_of(self.signal[column], self.positive, np.zeros(len(self.positive), dtype=np.int64))

    def of_seed(self, number: int) -> Self:
        """The same comparison with one of its seeds alone."""
        alone = {name: probability[[number]] for name, probability in self.probability.items()}
        return replace(self, probability=alone)

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
    probability, signal = {}, {}
    for arm in arms:
        columns = _present(arm, tables[0])
        X = np.stack([matrix(table, (), columns)[1][rows] for table in tables])
        probability[arm.name] = np.stack([held_out_probabilities(values, positive, fold) for values in X])
        signal |= {column: X[:, :, position] for position, column in enumerate(columns)}
    return Comparison(positive, groups[rows], fold, probability, signal)


def _present(arm: Arm, table: pd.DataFrame) -> list[str]:
    """The arm's signals that were extracted. Raises BadData where there is none."""
    found = [column for column in arm.columns if column in table.columns]
    if not found:
        raise BadData(f"the feature table has no signal of the arm '{arm.name}'; extract these signals first")
    return found

"""T1: how well the prediction ranks the class pairs, and what it says of the errors that were injected."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.measures import auroc_of
from anomaly_mlflow.detection.statistics import Interval, interval
from anomaly_mlflow.studies.theory.pairs import ClassDistances, measured_pairs
from anomaly_mlflow.studies.theory.rank_correlation import ends_of, group_weights, spearman_of

__all__ = ["PREDICTIONS", "injected_pairs", "pair_agreement"]

PREDICTIONS = {
    "predicted": "measured",
    "predicted_gamma": "measured",
    "predicted_unseen": "measured_unseen",
    "prototype_gap": "measured",
}
FEWEST_ROWS = 10  # of an injected pair: below, its AUROC says nothing


def pair_agreement(
    table: pd.DataFrame,
    found: ClassDistances,
    given: np.ndarray,
    clean: np.ndarray,
    groups: np.ndarray,
    classes: Sequence[str],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Spearman's correlation of each prediction with the measured AUROC over the pairs, with 95 % intervals.

    table: as `pair_table` gives it. A draw resamples the source groups, hence every measured AUROC, and the classes,
    for pairs that share a class are no independent witnesses: a pair counts as often as both of its classes together
    (Owen 2007, the pigeonhole bootstrap).
    """
    pairs = _positions(table, classes)
    generator, rows = np.random.default_rng(seed), np.flatnonzero(clean)
    some = ClassDistances(found.distance[rows], found.fold[rows])
    everyone = np.ones(len(rows), bool)
    measured = np.concatenate(
        [measured_pairs(some, given[rows], everyone, pairs, w) for w in group_weights(groups[rows], draws, generator)]
    )
    drawn = generator.integers(0, len(classes), (draws, len(classes)))
    times = np.stack([np.bincount(row, minlength=len(classes)) for row in drawn])
    weights = (times[:, pairs[:, 0]] * times[:, pairs[:, 1]]).astype(float)
    agreement = {}
    for name, against in PREDICTIONS.items():
        predicted = table[name].to_numpy()
        value = float(spearman_of(predicted, table[against].to_numpy())(np.ones((1, len(table))))[0])
        each = [spearman_of(predicted, row)(w[None])[0] for row, w in zip(measured, weights, strict=True)]
        agreement[name] = ends_of(value, np.array(each))
    return agreement


def injected_pairs(
    table: pd.DataFrame,
    found: ClassDistances,
    ledger: pd.DataFrame,
    groups: np.ndarray,
    classes: Sequence[str],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """The pairs of `pair_table` that near misses and gross errors were injected into, 10 rows or more.

    Columns: anomaly_type, true_class, given_class, n, predicted, measured, low, high (95 %, over source groups); the
    negatives are the clean rows of the given class in the same fold.
    """
    made, rows = ledger["anomaly_type"].to_numpy(), []
    true, given = ledger["true_label"].to_numpy(), ledger["given_label"].to_numpy()
    for kind in (AnomalyType.NEAR_MISS, AnomalyType.GROSS):
        for (a, b), pair in zip(_positions(table, classes), table.itertuples(), strict=True):
            positive = (made == kind) & (true == a) & (given == b)
            either = positive | ((made == AnomalyType.CLEAN) & (given == b))
            if positive.sum() < FEWEST_ROWS:
                continue
            measure = auroc_of(found.distance[either, b], positive[either], found.fold[either])
            ends = interval(measure, positive[either], groups[either], draws=draws, seed=seed)[0]
            names = str(kind), pair.true_class, pair.given_class, int(positive.sum()), pair.predicted
            rows.append((*names, ends.value, ends.low, ends.high))
    columns = ["anomaly_type", "true_class", "given_class", "n", "predicted", "measured", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _positions(table: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    number = {name: position for position, name in enumerate(classes)}
    return np.array([[number[a], number[b]] for a, b in zip(table["true_class"], table["given_class"], strict=True)])

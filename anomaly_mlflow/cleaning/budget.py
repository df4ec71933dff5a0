"""How accurate a probe on fixed embeddings gets with so many labels, of which so many are wrong."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from anomaly_mlflow.data.split import held_out
from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.training.side_by_side import side_by_side

__all__ = ["AccuracyGrid", "accuracy_grid", "corrected"]


@dataclass(frozen=True)
class AccuracyGrid:
    """What the probes reached.

    sizes: int64 (S,), labels learnt from; rates: float64 (R,), share of them that is wrong; classes: their number C.
    accuracy: float64 (seeds, S, R), on rows held out; against: what the labels of these are, in words.
    """

    sizes: np.ndarray
    rates: np.ndarray
    classes: int
    accuracy: np.ndarray
    against: str


def accuracy_grid(
    embeddings: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    groups: np.ndarray,
    sizes: Sequence[int],
    rates: Sequence[float],
    *,
    given_rate: float = 0.0,
    checked: np.ndarray | None = None,
    seeds: int = 5,
    seed: int = 0,
    jobs: int = 1,
) -> AccuracyGrid:
    """Logistic regression for each number of labels and share of wrong ones, on rows whose group it never saw.

    embeddings: float (n, d); labels: int64 (n,); groups: int64 (n,); sizes, rates: ascending. given_rate: share of the
    labels that is wrong as they are; flips to a uniform other class bring it to each rate (errors among similar
    classes cost more than these). checked: bool (n,), rows whose label is known to be right: they are held out and not
    learnt from; without them each seed holds out a tenth, whose accuracy is `corrected`. A seed draws rows, flips and
    the tenth; more labels and more errors contain the fewer. Raises BadOption, BadData.
    """
    sizes, rates = np.asarray(sizes, np.int64), np.asarray(rates, np.float64)
    _check(sizes, rates, num_classes, given_rate)
    if checked is not None and not checked.any():
        raise BadData("no row is checked; mark some, or leave `checked` out")
    common = (embeddings, labels, num_classes, groups, sizes, (rates - given_rate) / _slope(given_rate, num_classes))
    tasks = [delayed(_one_seed)(*common, checked, seed + number) for number in range(seeds)]
    accuracy = np.stack(list(side_by_side(tasks, jobs)))
    if checked is not None:
        against = "rows whose label was checked"
    elif given_rate:
        accuracy = corrected(accuracy, given_rate, num_classes)
        against = f"given labels, corrected for {given_rate:.1%} wrong ones as if these were uniform"
    else:
        against = "given labels, taken to be right"
    return AccuracyGrid(sizes, rates, num_classes, accuracy, against)


def corrected(accuracy: np.ndarray, rate: float, num_classes: int) -> np.ndarray:
    """Accuracy against right labels from that against labels of which a share is wrong, float64, may exceed 1.

    A wrong label is uniform over the other C - 1 classes and independent of the answer, given the true class:
    measured = A (1 - r) + (1 - A) r / (C - 1). Where errors resemble the answers, as those of people do, what comes
    out is too high; the measured accuracy itself is too low.
    """
    return (accuracy - rate / (num_classes - 1)) / _slope(rate, num_classes)


def _slope(rate: float, num_classes: int) -> float:
    return 1 - rate * num_classes / (num_classes - 1)


def _check(sizes: np.ndarray, rates: np.ndarray, num_classes: int, given_rate: float) -> None:
    if len(sizes) == 0 or sizes[0] < num_classes or (np.diff(sizes) <= 0).any():
        raise BadOption(f"sizes {sizes.tolist()} must rise, from the number of classes ({num_classes}) on")
    most = (num_classes - 1) / num_classes
    if len(rates) == 0 or not given_rate <= rates[0] <= rates[-1] < most or (np.diff(rates) <= 0).any():
        raise BadOption(f"error rates {rates.tolist()} must rise, within {given_rate:g} (as given) and {most:.3g}")


def _one_seed(
    embeddings: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    groups: np.ndarray,
    sizes: np.ndarray,
    flips: np.ndarray,
    checked: np.ndarray | None,
    seed: int,
) -> np.ndarray:
    """Accuracy on the rows held out, float64 (S, R)."""
    held = held_out(labels, groups, seed) if checked is None else checked
    rng = np.random.default_rng([seed, 1])
    pool = rng.permutation(np.flatnonzero(~np.isin(groups, groups[held])))
    if sizes[-1] > len(pool):
        raise BadOption(f"{sizes[-1]} labels are asked for and {len(pool)} can be learnt from; lower the largest size")
    uniform, step = rng.random(len(pool)), rng.integers(1, num_classes, len(pool))
    accuracy = np.empty((len(sizes), len(flips)))
    for column, share in enumerate(flips):
        noisy = np.where(uniform < share, (labels[pool] + step) % num_classes, labels[pool])
        for row, size in enumerate(sizes):
            probe = _probe(embeddings[pool[:size]], noisy[:size])
            accuracy[row, column] = (probe.predict(embeddings[held]) == labels[held]).mean()
    return accuracy


def _probe(embeddings: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    if len(np.unique(labels)) < 2:
        raise BadData(f"the {len(labels)} labels drawn are all of one class; raise the smallest size")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(embeddings, labels)

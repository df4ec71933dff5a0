"""How far people agree on the labels of a data set, and with the labels it has."""

from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.studies.characterisation import share

__all__ = ["Agreement", "agreement", "fleiss_kappa"]


@dataclass(frozen=True)
class Agreement:
    """Shares of the images, with 95 % intervals (Wilson 1927: images count as independent).

    raters: how many people; unanimous: all say the same; majority_given: more than half say the given label;
    all_differ: no two say the same; kappa: Fleiss', 1 = all agree, 0 = as by chance; by_class: unanimous among the
    images given each class, float64 (C,), NaN for a class without any.
    """

    raters: int
    unanimous: Interval
    majority_given: Interval
    all_differ: Interval
    kappa: float
    by_class: np.ndarray


def agreement(raters: np.ndarray, labels: np.ndarray, num_classes: int) -> Agreement:
    """raters: int64 (k, n), of k people; labels: int64 (n,), given. Raises BadData for one person alone, or gaps."""
    if raters.ndim != 2 or len(raters) < 2 or raters.shape[1] != len(labels):
        raise BadData(f"agreement needs what two people or more said of {len(labels)} images, not {raters.shape}")
    if (raters < 0).any() or (raters >= num_classes).any():
        raise BadData("agreement needs a class from every person for every image; leave out those that lack one")
    votes = (raters[:, :, None] == np.arange(num_classes)).sum(axis=0)
    unanimous = votes.max(axis=1) == len(raters)
    majority = 2 * votes[np.arange(len(labels)), labels] > len(raters)
    rows = np.bincount(labels, minlength=num_classes)
    together = np.bincount(labels, unanimous, minlength=num_classes)
    return Agreement(
        len(raters),
        *(share(int(those.sum()), len(labels)) for those in (unanimous, majority, votes.max(axis=1) == 1)),
        fleiss_kappa(votes),
        np.divide(together, rows, out=np.full(num_classes, np.nan), where=rows > 0),
    )


def fleiss_kappa(votes: np.ndarray) -> float:
    """(P - P_e) / (1 - P_e): agreeing pairs of people beyond chance (Fleiss 1971); NaN where all votes are one class.

    votes: int64 (n, C), how many people gave each image each class; as many for every image, two at least.
    """
    people = votes[0].sum()
    pairs = ((votes**2).sum(axis=1) - people) / (people * (people - 1))
    chance = float(((votes.sum(axis=0) / votes.sum()) ** 2).sum())
    return float((pairs.mean() - chance) / (1 - chance)) if chance < 1 else float("nan")

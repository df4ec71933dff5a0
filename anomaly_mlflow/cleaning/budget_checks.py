"""How many labels are wrong, and how many of them so many checks find: what models of other folds tell of it.

Nothing here knows the truth. What a wrong label looks like is learnt from labels that are exchanged here: a model that
has never seen a row is asked how well another label would fit it, and that costs no training.
"""

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.label_probes import support
from anomaly_mlflow.detection.probe_calibration import error_probability, error_ratio, joint_share
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.signals.confident_counts import calibrated_joint
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["error_rate", "errors_found", "misfit"]


def error_rate(
    probabilities: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, draws: int = 200, seed: int = 0
) -> Interval:
    """Share of wrong labels by the confident joint (`joint_share`), with a 95 % percentile interval over groups.

    probabilities: float (n, C), out of fold; labels: int64 (n,), as given; groups: int64 (n,). The models' own mistakes
    count as errors, so that it is rather too high; the interval holds the draw of the rows alone.
    """
    rng, codes = np.random.default_rng(seed), pd.factorize(groups)[0]
    drawn = []
    for _ in range(draws):
        often = np.bincount(rng.integers(0, codes.max() + 1, codes.max() + 1), minlength=codes.max() + 1)
        rows = np.repeat(np.arange(len(labels)), often[codes])
        drawn.append(joint_share(probabilities[rows], labels[rows]))
    return Interval(joint_share(probabilities, labels), *map(float, np.quantile(drawn, [0.025, 0.975])))


def misfit(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """max_{c != y} p_c - p_y, float64 (n,), -1..1, higher = more suspicious (the normalized margin, turned)."""
    return others_only(probabilities, labels).max(axis=1) - of_given_label(probabilities, labels)


def errors_found(probabilities: np.ndarray, labels: np.ndarray, rate: float, *, seed: int = 0) -> np.ndarray:
    """Expected number of wrong labels among the k of the largest misfit, float64 (n + 1,), for k = 0 .. n.

    rate: share of wrong labels. P(wrong | misfit) by Bayes' rule from the misfit of exchanged labels beside that of the
    given ones (`error_ratio`), a reconstruction of this project; it is too high where real errors fit better than
    exchanged labels do. Exchanged as the confident joint has it, in rows drawn by how well their label is supported: a
    label c becomes one that rows of class c are given, a uniform other one where these are all c.
    """
    rng = np.random.default_rng(seed)
    supported = support(probabilities, labels)
    rows = rng.choice(len(labels), len(labels), p=supported / supported.sum())
    exchanged = _exchanged(labels[rows], calibrated_joint(probabilities, labels), rng)
    own = misfit(probabilities, labels)
    score = np.concatenate([own, misfit(probabilities[rows], exchanged)])
    planted = np.arange(len(score)) >= len(own)
    wrong = error_probability(error_ratio(score, planted, ~planted), rate)
    found = np.concatenate([[0.0], np.cumsum(wrong[np.argsort(-own, kind="stable")])])
    most, unchecked = rate * len(own), np.arange(len(own), -1, -1)
    return np.clip(found, most - unchecked, most)  # what is not checked holds no more errors than rows


def _exchanged(labels: np.ndarray, joint: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each row another label, int64 (n,); joint: rows given, columns likely."""
    others = np.where(np.eye(len(joint), dtype=bool), 0, joint).astype(float)
    exchanged = labels.copy()
    for label in np.unique(labels):
        weights = others[:, label] if others[:, label].any() else np.arange(len(joint)) != label
        members = np.flatnonzero(labels == label)
        exchanged[members] = rng.choice(len(joint), len(members), p=weights / weights.sum())
    return exchanged

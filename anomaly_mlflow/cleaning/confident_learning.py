"""Confident learning: rows whose label the models of other folds contradict, as many as the confident joint counts."""

from collections.abc import Callable

import numpy as np

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.signals.confident_counts import TOLERANCE, calibrated_joint, confident_class
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import of_given_label, others_only

__all__ = ["FILTERS", "confident_learning", "label_issues"]


@cleaner(("out_of_fold",), "folds", "Northcutt, Jiang and Chuang (2021), JAIR 70 (pruned by noise rate)")
def confident_learning(evidence: Evidence, *, seed: int) -> Cleaned:
    """Flags of `label_issues` by noise rate; trust = (p_y - max_{c != y} p_c + 1) / 2; flagged rows take argmax p.

    The trust lies below 1/2 exactly where another class is predicted, so that flagged rows are among those.
    """
    p, labels = evidence.out_of_fold_probabilities, evidence.labels
    flagged = label_issues(p, labels)
    written = np.where(flagged, p.argmax(axis=1), labels)
    return Cleaned(_margin(p, labels), ~flagged, written, of_given_label(p, written))


def label_issues(p: np.ndarray, labels: np.ndarray, filter_by: str = "prune_by_noise_rate") -> np.ndarray:
    """bool (n,): rows whose label is an issue, as cleanlab's `find_label_issues` says (filters of the same names).

    p: float (n, C), probabilities of models that never saw the row; labels: int64 (n,), as given. All but the two
    `low_` filters spare the rows whose label is predicted, or 1e-6 short of it. Raises UnknownName.
    """
    if filter_by not in FILTERS:
        raise UnknownName("filter", filter_by, FILTERS)
    return FILTERS[filter_by](p, labels)


def _by_noise_rate(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each other class as many rows as the joint counts, of the largest p_other - p_given."""
    issues = np.zeros(len(labels), bool)
    joint = _with_one_kept(calibrated_joint(p, labels))
    for given, other in np.argwhere(joint > 0):
        members = np.flatnonzero(labels == given)
        if given != other and len(members) > 1:
            lead = p[members, other] - p[members, given]
            issues[members[np.argsort(-lead)[: joint[given, other]]]] = True
    return issues & ~_predicted(p, labels)


def _by_class(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each class as many rows as the joint counts off its diagonal, of the smallest p_given."""
    issues = np.zeros(len(labels), bool)
    right = _with_one_kept(calibrated_joint(p, labels)).diagonal()
    for given, kept in enumerate(right):
        members = np.flatnonzero(labels == given)
        if len(members) > 1:
            issues[members[np.argsort(p[members, given])[: max(len(members) - kept, 0)]]] = True
    return issues & ~_predicted(p, labels)


def _by_both(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return _by_noise_rate(p, labels) & _by_class(p, labels)


def _off_diagonal(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    found = confident_class(p, labels)
    return (found >= 0) & (found != labels) & ~_predicted(p, labels)


def _not_predicted(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return ~_predicted(p, labels)


def _lowest(score: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A filter: as many rows as lie off the diagonal, of the lowest score."""

    def flagged(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
        issues = np.zeros(len(labels), bool)
        issues[np.argsort(score(p, labels))[: _off_diagonal(p, labels).sum()]] = True
        return issues

    return flagged


def _margin(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return (of_given_label(p, labels) - others_only(p, labels).max(axis=1) + 1) / 2


def _predicted(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    favoured = p + TOLERANCE * (np.arange(p.shape[1]) == labels[:, None])
    return favoured.argmax(axis=1) == labels


def _with_one_kept(joint: np.ndarray) -> np.ndarray:
    """int64 (C, C): at least one right row in each class, taken evenly from what the class loses to others."""
    raised = np.maximum(joint.diagonal(), 1)
    taken = (raised - joint.diagonal()) / np.maximum(np.count_nonzero(joint, axis=1) - 1, 1)
    kept = np.maximum(joint - taken[:, None], 0)
    np.fill_diagonal(kept, raised)
    return kept.astype(np.int64)


FILTERS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "prune_by_noise_rate": _by_noise_rate,
    "prune_by_class": _by_class,
    "both": _by_both,
    "confident_learning": _off_diagonal,
    "predicted_neq_given": _not_predicted,
    "low_self_confidence": _lowest(of_given_label),
    "low_normalized_margin": _lowest(_margin),
}

"""Noisy, partial and missing labels in one model: the true label is latent, and found by expectation-maximisation.

Imprecise label learning (Chen et al. 2024, NeurIPS; its text was not at hand, the code of its successor GLWS was) with
the smallest network there is, a linear head on frozen embeddings: p(y | z), and T[y, s] = P(given = s | true = y). The
parts of the method that need a network in training (augmentations, consistency, entropy) are left out.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.signals.suggestion import of_given_label

__all__ = ["MISSING", "Imprecise", "fit_imprecise", "imprecise_labels"]

MISSING = -1
FOLDS, ROUNDS, STEPS = 3, 40, 10
SETTLED = 1e-3
"""T no longer moves by more than this in a round."""

RIDGE = 1e-3
RIGHT_AT_FIRST = 0.7
"""Diagonal of the first T: given labels are taken to be mostly right, or the classes could change places."""


@dataclass(frozen=True)
class Imprecise:
    """posterior: float64 (n, C), of the true label; transition: float64 (C, C), rows true, columns given label."""

    posterior: np.ndarray
    transition: np.ndarray


@cleaner(("embeddings",), "embedding", "Chen et al. (2024), NeurIPS (imprecise label learning)", reconstruction=True)
def imprecise_labels(evidence: Evidence, *, seed: int) -> Cleaned:
    """The posterior over true labels, given the noisy model's embedding and the given label.

    trust: posterior of the given label; kept: it is the largest. These embeddings have learnt from the given labels:
    where the model learnt them by heart, the transition comes out too near to the identity.
    """
    posterior = fit_imprecise(evidence.embeddings, evidence.labels, evidence.num_classes, seed=seed).posterior
    labels = posterior.argmax(axis=1)
    trust = of_given_label(posterior, evidence.labels)
    return Cleaned(trust, labels == evidence.labels, labels, posterior.max(axis=1))


def fit_imprecise(
    embeddings: np.ndarray,
    given: np.ndarray,
    num_classes: int,
    *,
    candidates: np.ndarray | None = None,
    seed: int,
) -> Imprecise:
    """Posterior of every row's true label, and the transition from true to given labels.

    embeddings: float (n, d), frozen; given: int64 (n,), -1 where a row has no label; candidates: bool (n, C), the
    classes that the true label is among, all of them where nothing is known.
    E-step: q(y) in proportion to p(y | z) T[y, given] [y among the candidates], the factor T left out where none is
    given. M-step: T by counting, the heads by a few steps of L-BFGS on q. A row never judges itself, though its
    duplicate may: the rows are split into 3 folds, and p(y | z) of a fold comes from the head that learnt from q of the
    other two; T is common to all.
    Raises BadData where a row's candidates are empty, or there is nothing that any label was learnt from.
    """
    allowed = np.ones((len(given), num_classes), bool) if candidates is None else candidates
    if not allowed.any(axis=1).all():
        raise BadData("a row without any candidate class cannot be learnt from; give all classes where none is known")
    if (given == MISSING).all() and allowed.all():
        raise BadData("there is neither a given label nor a set of candidates to learn from")
    rows = np.insert(StandardScaler().fit_transform(embeddings.astype(np.float64)), embeddings.shape[1], 1.0, axis=1)
    folds = list(KFold(FOLDS, shuffle=True, random_state=seed).split(rows))
    heads = [np.zeros((num_classes, rows.shape[1])) for _ in folds]
    transition = _first_transition(num_classes)
    posterior = _posterior(np.ones(allowed.shape), transition, given, allowed)
    for _ in range(ROUNDS):
        p = np.empty(allowed.shape)
        for fold, (learnt, judged) in enumerate(folds):
            heads[fold] = _learn(heads[fold], rows[learnt], posterior[learnt])
            p[judged] = softmax(rows[judged] @ heads[fold].T, axis=1)
        posterior = _posterior(p, transition, given, allowed)
        before, transition = transition, _counted(posterior, given, num_classes)
        if np.abs(transition - before).max() < SETTLED:
            break
    return Imprecise(_posterior(p, transition, given, allowed), transition)


def _posterior(p: np.ndarray, transition: np.ndarray, given: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    of_given = np.where((given == MISSING)[:, None], 1.0, transition.T[given])
    q = np.maximum(p, 1e-12) * of_given * allowed
    return q / q.sum(axis=1, keepdims=True)


def _first_transition(num_classes: int) -> np.ndarray:
    other = (1 - RIGHT_AT_FIRST) / max(1, num_classes - 1)
    return np.where(np.eye(num_classes, dtype=bool), RIGHT_AT_FIRST, other)


def _counted(posterior: np.ndarray, given: np.ndarray, num_classes: int) -> np.ndarray:
    """Share of each given label among the rows of each true one, over the rows that have one; one row in all is added
    as the first T would have it, so that a class without rows keeps it and no entry is 0."""
    labelled = given != MISSING
    counts = posterior[labelled].T @ np.eye(num_classes)[given[labelled]] + _first_transition(num_classes)
    return counts / counts.sum(axis=1, keepdims=True)


def _learn(head: np.ndarray, rows: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The head (C, d + 1) after some steps from where it stood, on the cross-entropy with soft targets and a ridge."""

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight = flat.reshape(head.shape)
        below = log_softmax(rows @ weight.T, axis=1)
        ridge = RIDGE * np.append(weight[:, :-1], np.zeros((len(weight), 1)), axis=1)
        slope = (np.exp(below) - target).T @ rows / len(rows) + ridge
        return -(target * below).sum() / len(rows) + (ridge * weight).sum() / 2, slope.ravel()

    found = minimize(loss, head.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "gtol": 1e-4})
    return found.x.reshape(head.shape)

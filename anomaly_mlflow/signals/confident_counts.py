"""Confident learning's counts: of which class each row is confident, and how often the given label is another.

Northcutt, Jiang and Chuang (2021), JAIR 70, equations 1 to 3, with the choices of cleanlab's code where the paper is
silent. p: float (n, C), probabilities of models that never saw the row; labels: int64 (n,), as given.
"""

import numpy as np

from anomaly_mlflow.signals.suggestion import of_given_label

__all__ = ["TOLERANCE", "calibrated_joint", "confident_class", "confident_thresholds", "counted_joint"]

TOLERANCE = 1e-6
NEVER = 2.0
LEAST = 1e-100


def confident_thresholds(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean p_c over the rows labelled c, float64 (C,); 2 for a class without rows, which is never confident."""
    count = np.bincount(labels, minlength=p.shape[1])
    total = np.bincount(labels, of_given_label(p, labels), minlength=p.shape[1])
    return np.where(count > 0, np.maximum(total / np.maximum(count, 1), 2 * TOLERANCE), NEVER)


def confident_class(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 (n,): the class whose threshold p reaches, less 1e-6; -1 where none does.

    Of several the largest p of all classes counts, confident or not.
    """
    confident = p >= confident_thresholds(p, labels) - TOLERANCE
    found = np.where(confident.sum(axis=1) > 1, p.argmax(axis=1), confident.argmax(axis=1))
    return np.where(confident.any(axis=1), found, -1)


def counted_joint(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 (C, C): rows of given label (row) and confident class (column); at least 1 on the diagonal."""
    classes = p.shape[1]
    found = confident_class(p, labels)
    pairs = (labels * classes + found)[found >= 0]
    joint = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1))
    return joint


def calibrated_joint(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 (C, C): `counted_joint` with each row scaled to the count of its given label, rounded to whole rows."""
    joint = counted_joint(p, labels)
    count = np.bincount(labels, minlength=len(joint))
    scaled = (joint.T / np.maximum(joint.sum(axis=1), LEAST) * count).T
    scaled = scaled / max(scaled.sum(), LEAST) * count.sum()
    return np.stack([_rounded(row) for row in scaled])


def _rounded(row: np.ndarray) -> np.ndarray:
    """int64: rounded, and what the sum then lacks or has too much is put where rounding changed most."""
    whole = row.round()
    lacking = int(np.round(row.sum().round() - whole.sum()))
    step = 1 if lacking > 0 else -1
    whole[np.argsort(row - whole)[::-step][: abs(lacking)]] += step
    return whole.astype(np.int64)

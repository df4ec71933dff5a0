"""What the noisy model says once the tail of its embedding's spectrum is cut off (a reconstruction).

"The Malignant Tail" (2026), arXiv:2603.02293, of which the abstract was at hand: what a network learns by heart lies in
directions of small variance, and truncation to the leading ones brings back what it had generalised.
"""

import numpy as np
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.signals.evidence import Evidence, Head
from anomaly_mlflow.signals.suggestion import of_given_label

__all__ = ["chosen_dimension", "label_needs_tail", "leading_directions", "spectral_truncation"]

HALVES = 2
FINEST = 2.0
"""Up to this many directions a class every number is tried, beyond it each a quarter more than the last."""


@cleaner(("embeddings", "head"), "embedding", "The Malignant Tail (2026), arXiv:2603.02293 (abstract)", reconstruction=True)
def spectral_truncation(evidence: Evidence, *, seed: int) -> Cleaned:
    """Predict with the model's own head from the leading d* directions of its centred embeddings.

    d*: `chosen_dimension`. trust: probability of the given label so predicted; kept: it is the largest; labels and
    confidence: the largest and its class.
    """
    mean, directions = leading_directions(evidence.embeddings)
    size = chosen_dimension((evidence.embeddings - mean) @ directions, evidence.labels, evidence.num_classes, seed)
    logits = _truncated(evidence.embeddings, evidence.head, mean, directions[:, :size])
    p = softmax(logits, axis=1)
    labels = p.argmax(axis=1)
    return Cleaned(of_given_label(p, evidence.labels), labels == evidence.labels, labels, p.max(axis=1))


def leading_directions(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the embeddings (n, d), float64 (d,), and their principal directions as columns, largest variance first."""
    rows = embeddings.astype(np.float64)
    directions = np.linalg.eigh(np.cov(rows, rowvar=False, bias=True))[1]
    return rows.mean(axis=0), directions[:, ::-1]


def chosen_dimension(coordinates: np.ndarray, labels: np.ndarray, num_classes: int, seed: int) -> int:
    """How many leading directions to keep, from the given labels alone.

    coordinates: float (n, d), along the principal directions. A linear discriminant learns the labels of one random
    half from its first directions and is judged by those of the other half, both ways round. The smallest number counts
    whose accuracy is within one standard error of the best: the labels it is judged by are noisy too, and the embedding
    has seen them. Raises BadData where a class has one row only.
    """
    if np.bincount(labels).max() < len(labels) and min(np.bincount(labels)[np.unique(labels)]) < HALVES:
        raise BadData("spectral truncation learns from halves: every class needs two rows or more")
    halves = list(StratifiedKFold(HALVES, shuffle=True, random_state=seed).split(coordinates, labels))
    sizes = _sizes(coordinates.shape[1], num_classes)
    right = np.array([_held_out_right(coordinates[:, :size], labels, halves) for size in sizes])
    accuracy = right.mean(axis=1)
    best = accuracy.argmax()
    error = right[best].std() / np.sqrt(len(labels))
    return int(sizes[np.flatnonzero(accuracy >= accuracy[best] - error)[0]])


def label_needs_tail(embeddings: np.ndarray, head: Head, labels: np.ndarray) -> np.ndarray:
    """Smallest number of leading directions from which the head predicts the label, int64 (n,), 1 .. d; d + 1 where it
    never does, the higher the more suspicious.

    Not what the cleaner ranks by: from one or two directions a wrong label is often predicted by chance.
    """
    mean, directions = leading_directions(embeddings)
    needed = np.full(len(labels), directions.shape[1] + 1)
    for size in range(directions.shape[1], 0, -1):
        predicted = _truncated(embeddings, head, mean, directions[:, :size]).argmax(axis=1)
        needed[predicted == labels] = size
    return needed


def _truncated(embeddings: np.ndarray, head: Head, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    kept = (embeddings - mean) @ directions
    return kept @ (head.weight @ directions).T + (head.weight @ mean + head.bias)


def _sizes(most: int, num_classes: int) -> np.ndarray:
    fine = min(most, int(FINEST * num_classes))
    coarse = fine * 1.25 ** np.arange(1, 60)
    return np.unique(np.r_[np.arange(1, fine + 1), coarse[coarse < most].astype(int), most])


def _held_out_right(rows: np.ndarray, labels: np.ndarray, halves: list) -> np.ndarray:
    """Whether the label of each row is what the other half's discriminant says, bool (n,)."""
    right = np.empty(len(labels), bool)
    for learnt, judged in halves:
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3).fit(rows[learnt], labels[learnt])
        right[judged] = model.predict(rows[judged]) == labels[judged]
    return right

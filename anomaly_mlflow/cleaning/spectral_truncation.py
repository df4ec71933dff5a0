"""What the noisy model says once the tail of its embedding's spectrum is cut off (a reconstruction).

"The Malignant Tail" (2026), arXiv:2603.02293, of which the abstract was at hand: what a network learns by heart lies in
directions of small variance, and truncation to the leading ones brings back what it had generalised.
"""

from collections.abc import Iterable

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.cleaning.base import Cleaned, cleaner
from anomaly_mlflow.signals.evidence import Evidence, Head
from anomaly_mlflow.signals.suggestion import of_given_label

__all__ = ["chosen_dimension", "spectral_truncation", "truncated_logits"]

FINE = 2
"""Up to this many directions a class every number is tried, beyond it each a quarter more than the last."""

SOURCE = "The Malignant Tail (2026), arXiv:2603.02293 (abstract)"


@cleaner(("embeddings", "head", "out_of_fold"), "training", SOURCE, reconstruction=True)  # the noisy model's own answer
def spectral_truncation(evidence: Evidence, *, seed: int) -> Cleaned:
    """Predict with the noisy model's own head from the leading d* directions of its centred embeddings.

    d*: `chosen_dimension`; of the other folds' models only this one number is taken. trust: probability of the given
    label so predicted; kept: it is the largest; labels and confidence: class and value of the largest. Nothing is
    drawn.
    """
    embeddings, head = evidence.embeddings, evidence.head
    sizes = _sizes(embeddings.shape[1], evidence.num_classes)
    best = chosen_dimension(truncated_logits(embeddings, head, sizes), sizes, evidence.out_of_fold.argmax(axis=1))
    p = softmax(next(iter(truncated_logits(embeddings, head, [best]))), axis=1)
    labels = p.argmax(axis=1)
    return Cleaned(of_given_label(p, evidence.labels), labels == evidence.labels, labels, p.max(axis=1))


def truncated_logits(embeddings: np.ndarray, head: Head, sizes: Iterable[int]) -> Iterable[np.ndarray]:
    """Logits of the head, float64 (n, C), for each number of leading principal directions that is kept.

    embeddings: float (n, d); the rest of each row is replaced by that of the mean.
    """
    rows = embeddings.astype(np.float64)
    mean = rows.mean(axis=0)
    directions = np.linalg.eigh(np.cov(rows, rowvar=False, bias=True))[1][:, ::-1]
    coordinates, weight = (rows - mean) @ directions, head.weight @ directions
    return (coordinates[:, :size] @ weight[:, :size].T + (head.weight @ mean + head.bias) for size in sizes)


def chosen_dimension(logits: Iterable[np.ndarray], sizes: Iterable[int], held_out: np.ndarray) -> int:
    """How many leading directions to keep, chosen without the truth.

    logits: those of each size, each (n, C). held_out: int64 (n,), what models predict that learnt the given labels of
    other rows: truncated, the model is to say what it would have said had it not seen the row's label. The smallest
    size counts that agrees with them to within a standard error of the best. Given labels cannot choose: the embedding
    has learnt them, and the more of it is kept, the better they are predicted.
    """
    sizes = list(sizes)
    agrees = np.array([each.argmax(axis=1) == held_out for each in logits])
    share = agrees.mean(axis=1)
    error = agrees[share.argmax()].std() / np.sqrt(len(held_out))
    return int(sizes[np.flatnonzero(share >= share.max() - error)[0]])


def _sizes(most: int, num_classes: int) -> np.ndarray:
    fine = min(most, FINE * num_classes)
    coarse = fine * 1.25 ** np.arange(1, 60)
    return np.unique(np.r_[np.arange(1, fine + 1), coarse[coarse < most].astype(int), most])

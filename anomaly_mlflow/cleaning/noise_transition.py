"""How often the label of one class is given for another, from how often near rows agree (HOC).

Zhu, Song and Liu (2021), ICML (Clusterability as an Alternative to Anchor Points): where a row and its two nearest
share their true class, and each label is wrong independently given that class, the shares of their labels, alone, in
pairs and in triples, determine the transition matrix T and the prior p of the true classes:
c1_j = sum_i p_i T_ij;  c2_jk = sum_i p_i T_ij T_ik;  c3_jkl = sum_i p_i T_ij T_ik T_il.
"""

import numpy as np
import torch
from scipy.optimize import minimize

from anomaly_mlflow.errors import BadData

__all__ = ["consensus", "noise_transition", "probability_right", "solve_consensus"]

NEIGHBOURS, MOST_CLASSES, STEPS = 2, 100, 500


def noise_transition(labels: np.ndarray, nearest: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """T float64 (C, C), P(given label | true class), rows = true; p float64 (C,), prior of the true classes.

    labels: int64 (n,), as given; nearest: int64 (n, >= 2), positions of the nearest other rows, nearest first.
    All rows are counted at once, where the authors' code averages over draws of 15,000.
    Raises BadData for more than 100 classes (their triples would take too much) or fewer than three rows.
    """
    if num_classes > MOST_CLASSES or nearest.shape[1] < NEIGHBOURS:
        raise BadData(
            f"the noise is estimated from at least 3 rows of at most {MOST_CLASSES} classes, "
            f"not from {len(labels)} rows of {num_classes}"
        )
    return solve_consensus(consensus(labels, nearest, num_classes))


def probability_right(transition: np.ndarray, prior: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """P(true class c | given label c), float64 (C,), at most 1; 1 for a class without rows."""
    share = np.bincount(labels, minlength=len(prior)) / len(labels)
    return np.minimum(np.diag(transition) * prior / np.where(share > 0, share, np.inf), 1) + (share == 0)


def consensus(labels: np.ndarray, nearest: np.ndarray, num_classes: int) -> list[np.ndarray]:
    """Shares of labels, of pairs and of triples: float64 (C,), (C, C), (C, C, C); a row, its nearest, its second."""
    ranks = [labels, labels[nearest[:, 0]], labels[nearest[:, 1]]]
    shapes = [(num_classes,) * order for order in (1, 2, 3)]
    at = [np.ravel_multi_index(ranks[: len(shape)], shape) for shape in shapes]
    counts = [np.bincount(index, minlength=np.prod(shape)) for index, shape in zip(at, shapes, strict=True)]
    return [count.reshape(shape) / len(labels) for count, shape in zip(counts, shapes, strict=True)]


def solve_consensus(shares: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """T and p whose shares are nearest: least sum of the three Euclidean distances, from a T that is near the identity.

    Both are softmaxes, as in the authors' code; solved by L-BFGS in place of Adam, and from an even prior in place of
    a random one.
    """
    classes = len(shares[0])
    targets = [torch.tensor(share.reshape(classes, -1)) for share in shares]
    start = np.concatenate([np.zeros(classes), (5 * np.eye(classes) - 1).ravel()])

    def distance(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        variable = torch.tensor(parameters, requires_grad=True)
        loss = sum(torch.linalg.norm(a - b) for a, b in zip(_expected(variable, classes), targets, strict=True))
        (gradient,) = torch.autograd.grad(loss, variable)
        return loss.item(), gradient.numpy()

    solution = torch.tensor(minimize(distance, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x)
    prior, transition = _parts(solution, classes)
    return transition.numpy(), prior.numpy()


def _expected(parameters: torch.Tensor, classes: int) -> list[torch.Tensor]:
    prior, transition = _parts(parameters, classes)
    joint = prior[:, None] * transition
    pairs = (transition[:, :, None] * transition[:, None, :]).reshape(classes, -1)
    return [joint.sum(dim=0)[:, None], joint.T @ transition, joint.T @ pairs]


def _parts(parameters: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    return parameters[:classes].softmax(dim=0), parameters[classes:].reshape(classes, classes).softmax(dim=1)

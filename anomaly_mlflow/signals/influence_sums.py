"""Influence of the last layer by factorisation (TracIn), summed over the reference samples of each class.

The gradient of the cross-entropy of row i is [a_i; 1] e_i^T, a = input of the last layer, e = p - onehot(label), so
I_ij = sum_t eta_t (a_i . a_j + 1)(e_i . e_j), t over saved states, eta the learning rate (Pruthi et al. 2020). No
gradient is stored and no matrix of all rows and reference samples; arithmetic in float64.

bias: whether the last layer has a bias that learns (the + 1). cosine: each gradient is divided by its norm, so that
large gradients do not rule; the self-influence is then the same for every row whose gradient is not 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize, one_hot

from anomaly_mlflow.signals.traces import Traces
from anomaly_mlflow.training.device import on_gpu

__all__ = ["SplitSums", "class_sums", "self_influence", "split_sums"]

BOUND = 16 * 2**20
"""Bytes of the matrices of a chunk of rows and all reference samples."""

Factors = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class SplitSums:
    """Influence over the reference samples of each class, positive and negative parts apart.

    positive: float64 (n, C), at least 0 (PIL); negative: float64 (n, C), at most 0 (NIL); the sign is that of the sum
    over saved states. proponents, opponents: int64 (n,), reference samples of the given class with influence above and
    below 0.
    """

    positive: np.ndarray
    negative: np.ndarray
    proponents: np.ndarray
    opponents: np.ndarray


def self_influence(traces: Traces, *, bias: bool = True, cosine: bool = False, device: str = "auto") -> np.ndarray:
    """float64 (n,): I_ii = sum_t eta_t (|a_i|^2 + 1) |e_i|^2, in time linear in n."""
    found, place = np.zeros(len(traces.labels)), _place(device)
    for rows in _chunks(traces):
        for rate, (a, e) in _states(traces, rows, traces.labels, bias, cosine, place):
            size = a.square().sum(1) * e.square().sum(1)
            # Of unit vectors 1 but for rounding, by which rows that are all the same would be ranked.
            found[rows] += rate * (size.round() if cosine else size).cpu().numpy()
    return found


def class_sums(traces: Traces, *, bias: bool = True, cosine: bool = False, device: str = "auto") -> np.ndarray:
    """float64 (n, C): sum of I_ij over the reference samples j of each class, in time O((n + m) d C + n d C^2).

    Where the square of the classes exceeds the reference samples, `split_sums` is faster and is added up.
    """
    classes, place = traces.num_classes, _place(device)
    if classes**2 > len(traces.reference_labels):
        sums = split_sums(traces, bias=bias, cosine=cosine, device=device)[0]
        return sums.positive + sums.negative
    gradients = [_class_gradients(each, traces) for each in _references(traces, bias, cosine, place)]
    found = np.zeros((len(traces.labels), classes))
    for rows in _chunks(traces):
        states = _states(traces, rows, traces.labels, bias, cosine, place)
        for (rate, (a, e)), gradient in zip(states, gradients, strict=True):
            found[rows] += rate * torch.einsum("ick,ik->ic", (a @ gradient).view(-1, classes, classes), e).cpu().numpy()
    return found


def split_sums(
    traces: Traces, *labels: np.ndarray, bias: bool = True, cosine: bool = False, device: str = "auto"
) -> list[SplitSums]:
    """The sums for each of these labels of the rows, int64 (n,), in place of the given ones; without any for those.

    Computed in chunks of rows; the products of embeddings are shared by all labels.
    """
    labels, place = labels or (traces.labels,), _place(device)
    references = list(_references(traces, bias, cosine, place))
    classes = torch.tensor(traces.reference_labels, dtype=torch.int64, device=place)
    members = one_hot(classes, traces.num_classes).double()
    # Filled in place: small results that lie between the chunks would keep glibc from reusing their memory.
    found = [_empty(traces) for _ in labels]
    for rows in _chunks(traces, 3 + len(labels)):
        matrices = _influence(traces, rows, labels, references, (bias, cosine, place))
        own = torch.tensor(traces.labels[rows], device=place)[:, None] == classes
        for sums, matrix in zip(found, matrices, strict=True):
            sums.positive[rows] = (matrix.clamp(min=0) @ members).cpu().numpy()
            sums.negative[rows] = (matrix.clamp(max=0) @ members).cpu().numpy()
            sums.proponents[rows] = (own & (matrix > 0)).sum(1).cpu().numpy()
            sums.opponents[rows] = (own & (matrix < 0)).sum(1).cpu().numpy()
    return found


def _empty(traces: Traces) -> SplitSums:
    n, classes = len(traces.labels), traces.num_classes
    return SplitSums(*np.empty((2, n, classes)), *np.empty((2, n), np.int64))


def _influence(
    traces: Traces, rows: slice, labels: tuple[np.ndarray, ...], references: list[Factors], how: tuple
) -> list[torch.Tensor]:
    """I of these rows and all reference samples for each of the labels: summed over states before its sign is read."""
    totals = []
    states = zip(*(_states(traces, rows, each, *how) for each in labels), strict=True)
    for of_labels, (known, errors) in zip(states, references, strict=True):
        rate, (a, _) = of_labels[0]
        shared = (a @ known.T).mul_(rate)
        products = [(e @ errors.T).mul_(shared) for _, (_, e) in of_labels]
        totals = [total.add_(more) for total, more in zip(totals, products, strict=True)] if totals else products
    return totals


def _class_gradients(reference: Factors, traces: Traces) -> torch.Tensor:
    """Sum of the gradients of the reference samples of each class, (d, C * C)."""
    a, e = reference
    of = [torch.tensor(traces.reference_labels == label, device=a.device) for label in range(traces.num_classes)]
    return torch.stack([a[rows].T @ e[rows] for rows in of], dim=1).flatten(1)


def _states(
    traces: Traces, rows: slice, labels: np.ndarray, bias: bool, cosine: bool, place: str
) -> Iterator[tuple[float, Factors]]:
    for state in traces.checkpoints:
        yield state.rate, _factors(state.embeddings[rows], state.probabilities[rows], labels[rows], bias, cosine, place)


def _references(traces: Traces, bias: bool, cosine: bool, place: str) -> Iterator[Factors]:
    for state in traces.checkpoints:
        seen = (state.reference_embeddings, state.reference_probabilities, traces.reference_labels)
        yield _factors(*seen, bias, cosine, place)


def _factors(z: np.ndarray, p: np.ndarray, labels: np.ndarray, bias: bool, cosine: bool, place: str) -> Factors:
    """[a; 1], (rows, d + 1), or a without bias; e, (rows, C)."""
    a, e = (torch.tensor(array, dtype=torch.float64, device=place) for array in (z, p))
    a = torch.cat([a, a.new_ones(len(a), 1)], dim=1) if bias else a
    e -= one_hot(torch.tensor(labels, dtype=torch.int64, device=place), e.shape[1])
    return (normalize(a), normalize(e)) if cosine else (a, e)


def _chunks(traces: Traces, matrices: int = 4) -> list[slice]:
    width = max(len(traces.reference_labels), traces.num_classes**2, traces.checkpoints[0].embeddings.shape[1])
    size = max(1, BOUND // (8 * width * matrices))
    return [slice(start, start + size) for start in range(0, len(traces.labels), size)]


def _place(device: str) -> str:
    """Apple's GPUs have no float64."""
    return "cuda" if on_gpu(device) and torch.cuda.is_available() else "cpu"

"""What one look at the logits tells of each sample, on whatever device they lie."""

import torch

__all__ = ["COLUMNS", "logit_statistics"]

COLUMNS = 64
"""Rows are filled up to a multiple of this."""


def logit_statistics(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Quantities of logits (b, C) beside the given labels (b,), each (b,): float32, but `predicted` int64.

    loss: cross-entropy of the label, nats. margin: the label's logit less the largest other. entropy: of the softmax,
    nats. error_norm: Euclidean norm of softmax - onehot(label), the EL2N of Paul et al. (2021). log_sum_exp.
    predicted: the first class of the largest logit.
    """
    values, label = _classes_first(logits, labels)
    largest, predicted = values.max(dim=0)
    of_label = values.gather(0, label)[0]
    below = values - largest
    weights = below.exp()
    total = weights.sum(dim=0)
    log_total = total.log()
    entropy = log_total - (weights * below).sum(dim=0) / total
    others = weights.scatter_(0, label, 0.0).div_(total)
    values.scatter_(0, label, -torch.inf)
    found = {
        "loss": log_total + (largest - of_label),
        "margin": of_label - values.amax(dim=0),
        "entropy": entropy.clamp(min=0),
        "error_norm": (others.sum(dim=0).square() + others.square().sum(dim=0)).sqrt(),
        "log_sum_exp": log_total + largest,
        "predicted": predicted,
    }
    return {name: value[: len(logits)] for name, value in found.items()}


def _classes_first(logits: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """float32 (C, m) and int64 (1, m): so every reduction runs along the samples, and takes the classes in one order
    wherever a sample stands, which PyTorch's do not in the last few columns.
    """
    rows, classes = logits.shape
    width = -(-rows // COLUMNS) * COLUMNS
    values, label = logits.new_zeros(classes, width, dtype=torch.float32), labels.new_zeros(1, width, dtype=torch.int64)
    values[:, :rows], label[0, :rows] = logits.T, labels
    return values, label

"""A small network that makes, of two easy features of different classes, one that lies between them.

A reconstruction of arXiv 2407.07331, whose full text was not at hand: two layers on the concatenation, the class of the
first feature, lambda_p in .5 .. 1 as difficulty are the paper's; widths, steps and the form of the loss are ours.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cosine_similarity, cross_entropy

from anomaly_mlflow.signals.evidence import Head

__all__ = ["Hallucinator", "fit_hallucinator", "hallucinate", "hallucination_loss"]

HIDDEN, STEPS, PAIRS, RATE = 256, 400, 256, 1e-3


class Hallucinator(nn.Module):
    """Two features of width d, side by side, to one of width d; in units of `scale`, the features' mean length."""

    def __init__(self, width: int, scale: float, rectified: bool):
        super().__init__()
        last = [nn.ReLU()] if rectified else []  # no feature of a rectified layer is below 0
        self.layers = nn.Sequential(nn.Linear(2 * width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, width), *last)
        self.scale = scale

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Anchors float32 (m, d) of pairs of features (m, d)."""
        return self.layers(torch.cat([first, second], dim=1) / self.scale) * self.scale


def hallucination_loss(
    anchor: torch.Tensor,
    first: torch.Tensor,
    second: torch.Tensor,
    logits: torch.Tensor,
    labels: torch.Tensor,
    lambda_p: float,
    beta: float,
) -> torch.Tensor:
    """CE(g(a), y_i) - beta [lambda_p cos(a, s_i) + (1 - lambda_p) cos(a, s_j)], mean over the pairs.

    anchor a, first s_i, second s_j: (m, d); logits: g(a), (m, C), of the frozen classifier; labels: y_i, int64 (m,).
    """
    likeness = lambda_p * cosine_similarity(anchor, first) + (1 - lambda_p) * cosine_similarity(anchor, second)
    return cross_entropy(logits, labels) - beta * likeness.mean()


def fit_hallucinator(
    features: np.ndarray,
    labels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    head: Head,
    *,
    lambda_p: float,
    beta: float,
    seed: int,
) -> Hallucinator:
    """Train on pairs drawn from these, with features and classifier as they are; 400 steps of Adam, rate 1e-3.

    features: float32 (n, d); labels: int64 (n,); first, second: int64 (m,), positions of pairs of different classes.
    Reproducible from the seed, and torch's own generator stays as it was.
    """
    values, classes = torch.from_numpy(features).float(), torch.tensor(labels)
    weight, bias = (torch.from_numpy(np.array(part)).float() for part in (head.weight, head.bias))
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        scale = float(values.norm(dim=1).mean().clamp(min=1e-12))
        model = Hallucinator(features.shape[1], scale, rectified=bool(features.min() >= 0))
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(STEPS):
        pairs = rng.integers(0, len(first), PAIRS)
        i, j = torch.from_numpy(first[pairs]), torch.from_numpy(second[pairs])
        anchor = model(values[i], values[j])
        logits = anchor @ weight.T + bias
        loss = hallucination_loss(anchor, values[i], values[j], logits, classes[i], lambda_p, beta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


@torch.inference_mode()
def hallucinate(model: Hallucinator, features: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Anchors float32 (m, d) of these pairs of features."""
    values = torch.from_numpy(features).float()
    return model(values[torch.from_numpy(first)], values[torch.from_numpy(second)]).numpy()

"""Evaluation passes in float32: embeddings, logits, stochastic passes of the head."""

import numpy as np
import torch
from torch.nn.functional import linear

from anomaly_mlflow.data.batches import to_float
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier

__all__ = ["accuracy", "infer", "infer_layers", "stochastic_logits"]


@torch.inference_mode()
def infer(model: Classifier, images: np.ndarray, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings float32 (n, d) and logits float32 (n, classes) of uint8 (n, height, width, channels)."""
    training = model.training
    model.eval()
    device = model.mean.device
    embeddings, logits = [], []
    for start in range(0, len(images), batch_size):
        batch = to_float(torch.from_numpy(images[start : start + batch_size]).to(device))
        embedding = model.embed(batch)
        embeddings.append(embedding.cpu())
        logits.append(model.head(embedding).cpu())
    model.train(training)
    return torch.cat(embeddings).numpy(), torch.cat(logits).numpy()


@torch.inference_mode()
def infer_layers(model: Classifier, images: np.ndarray, batch_size: int = 500) -> list[np.ndarray]:
    """Output of each stage averaged over positions, float32 (n, d_l) in order of depth; the embedding is the last."""
    training = model.training
    model.eval()
    device = model.mean.device
    batches = [
        [
            layer.cpu()
            for layer in model.layers(to_float(torch.from_numpy(images[start : start + batch_size]).to(device)))
        ]
        for start in range(0, len(images), batch_size)
    ]
    model.train(training)
    return [torch.cat(parts).numpy() for parts in zip(*batches, strict=True)]


def accuracy(model: Classifier, samples: Samples) -> float:
    """Share of samples whose largest logit is the label."""
    return float((infer(model, samples.images)[1].argmax(axis=1) == samples.labels).mean())


@torch.inference_mode()
def stochastic_logits(model: Classifier, embeddings: np.ndarray, passes: int, seed: int) -> np.ndarray:
    """Logits float32 (passes, n, classes) with dropout before the head drawn anew in each pass.

    Dropout stands only before the head, so the body runs once (Gal & Ghahramani 2016, restricted to the
    last layer). Masks come from `seed` alone and are the same for every row, which is what makes a row's
    score independent of the rows around it.
    """
    generator = torch.Generator().manual_seed(seed)
    keep = 1 - model.architecture.dropout
    masks = (torch.rand(passes, embeddings.shape[1], generator=generator) < keep).float() / keep
    weight, bias, rows = model.head.weight.cpu(), model.head.bias.cpu(), torch.from_numpy(embeddings)
    return torch.stack([linear(rows * mask, weight, bias) for mask in masks]).numpy()

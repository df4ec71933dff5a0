"""Gaussian noise on the embedding while a model is trained: a cheap control beside label smoothing."""

from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import seed_everything

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_fits
from anomaly_mlflow.training.loop import fit, fresh_model

__all__ = ["fit_with_embedding_noise", "noisy"]


def fit_with_embedding_noise(
    samples: Samples,
    config: TrainConfig,
    noise: float = 0.5,
    *,
    seed: int,
    device: str = "auto",
    on_epoch: Callable[[int, Classifier, float], None] | None = None,
) -> Classifier:
    """Train a fresh model whose head sees z + noise |z| e / sqrt(d), e standard normal, d the width of z.

    So the noise is about `noise` times as long as the embedding z. An analogy and no reproduction: the condition
    embedding perturbations of Chen et al. (2024), NeurIPS, put N(0, gamma^2 / d) on the embedding of the class that a
    diffusion model is told, which a classifier does not have. Raises TrainingDiverged, BadData, BadOption.
    """
    rows = np.arange(len(samples))
    check_fits(samples, config, rows)
    seed_everything(seed, verbose=False)
    model = fresh_model(samples, config, rows)
    hook = model.dropout.register_forward_pre_hook(lambda module, inputs: _while_trained(module, inputs[0], noise))
    try:
        trained, _ = fit(samples, config, seed=seed, device=device, start=model, on_epoch=on_epoch)
    finally:
        hook.remove()
    return trained


def noisy(embeddings: torch.Tensor, noise: float) -> torch.Tensor:
    """Embeddings (n, d) with Gaussian noise of the expected squared length (noise |z|)^2, from torch's generator."""
    length = embeddings.detach().norm(dim=1, keepdim=True)
    return embeddings + noise * length * torch.randn_like(embeddings) / embeddings.shape[1] ** 0.5


def _while_trained(module: torch.nn.Module, embeddings: torch.Tensor, noise: float) -> torch.Tensor | None:
    return noisy(embeddings, noise) if module.training else None

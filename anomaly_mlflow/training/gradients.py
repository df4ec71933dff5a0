"""How the input gradient changes over training."""

from collections.abc import Sequence

import numpy as np
import torch

from anomaly_mlflow.data.batches import to_float
from anomaly_mlflow.data.on_disk import read
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.inference import fitting_batch

__all__ = ["gradient_spread"]


def gradient_spread(
    models: Sequence[Classifier], images: np.ndarray, labels: np.ndarray, batch_size: int | None = None
) -> np.ndarray:
    """Spread of the gradient of the given label's logit over snapshots of one training, float32 (n,).

    mean over pixels (and channels) of sqrt(mean_t (S_t - mean_t S_t)^2), S_t = d logit_y / d x at snapshot t, x in 0..1
    (Agarwal, D'souza, Hooker 2022, without their normalisation by class).
    models: snapshots in evaluation mode; images: uint8 (n, height, width, channels); labels: int64 (n,).
    """
    device, batch_size = models[0].mean.device, batch_size or fitting_batch(images)
    spread = np.empty(len(images), np.float32)
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        x = to_float(torch.from_numpy(read(images, np.arange(len(images))[rows])).to(device))
        y = torch.from_numpy(np.array(labels[rows])).to(device)
        gradients = torch.stack([_gradient(model, x, y) for model in models])
        spread[rows] = gradients.std(dim=0, correction=0).mean(dim=(1, 2, 3)).cpu().numpy()
    return spread


def _gradient(model: Classifier, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    x = x.detach().requires_grad_()
    chosen = model(x).gather(1, y[:, None]).sum()
    return torch.autograd.grad(chosen, x)[0]

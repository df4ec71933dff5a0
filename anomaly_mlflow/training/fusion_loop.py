"""Training of a fusion network: the house's batches, optimizer and schedule around a model of two inputs."""

from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import Fabric, seed_everything
from torch.nn.functional import cross_entropy

from anomaly_mlflow.anomalies.metadata import noisy_codes
from anomaly_mlflow.data.batches import balanced_batches, batch_count, to_float
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models.fusion import FusionNet, FusionSettings
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_fits, check_loss, check_weights
from anomaly_mlflow.training.loop import fresh_model, optimizer_of, schedule_of

__all__ = ["fit_fusion"]

OnEpoch = Callable[[int, FusionNet, float, float], None]


def fit_fusion(
    samples: Samples,
    codes: np.ndarray,
    config: TrainConfig,
    settings: FusionSettings,
    *,
    seed: int,
    device: str = "auto",
    metadata_noise: float = 0.0,
    on_epoch: OnEpoch | None = None,
) -> FusionNet:
    """Train a fresh fusion network on images and the classes that their metadata name; labels follow the images.

    codes: int64 (n,); metadata_noise: probability, in each epoch anew, that a code is another class's. seed: fixes
    weights, order, augmentation and noise; order and augmentation are the same whatever the settings.
    on_epoch: called with epoch, model, mean loss (nats) and the share of training pairs that were answered right as
    they passed. Raises TrainingDiverged, BadData, BadOption.
    """
    fabric = Fabric(accelerator=device, devices=1, precision=config.precision)
    seed_everything(seed, verbose=False)
    rng, noise = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    rows = np.arange(len(samples))
    check_fits(samples, config, rows)
    model = FusionNet(fresh_model(samples, config, rows), settings)
    model, optimizer = fabric.setup(model, optimizer_of(model, config))
    schedule = schedule_of(optimizer, config, config.epochs * batch_count(len(rows), config.batch_size))
    labels = torch.tensor(samples.labels, device=fabric.device)

    with Feed(samples.images, config.augmentation, fabric.device) as feed:
        for epoch in range(config.epochs):
            shown = noisy_codes(codes, samples.num_classes, metadata_noise, noise)
            named = torch.from_numpy(shown).to(fabric.device)
            losses, right = [], torch.zeros((), device=fabric.device)
            model.train()
            for batch, images in feed.epoch(list(balanced_batches(rows, config.batch_size, rng)), rng):
                at = torch.from_numpy(batch).to(fabric.device)
                logits = model(to_float(images), named[at])
                loss = cross_entropy(logits, labels[at], label_smoothing=config.label_smoothing)
                fabric.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
                losses.append(loss.detach())
                right += (logits.detach().argmax(dim=1) == labels[at]).sum()
            mean_loss = float(torch.stack(losses).mean())
            check_loss(mean_loss, epoch, samples.num_classes, config)
            if on_epoch:
                on_epoch(epoch, model.module, mean_loss, float(right) / len(rows))
    check_weights(model, config)
    return model.module.eval()

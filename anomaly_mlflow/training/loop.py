"""One readable training loop; device and precision through Lightning Fabric."""

from collections.abc import Callable

import numpy as np
import torch
from lightning_fabric import Fabric, seed_everything
from torch.nn.functional import cross_entropy

from anomaly_mlflow.data.augment import Augmenter
from anomaly_mlflow.data.batches import balanced_batches, channel_moments, resident, to_float
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import TrainingDiverged
from anomaly_mlflow.models import Architecture, Classifier, build, find
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.recorder import EpochSink, Recorder
from anomaly_mlflow.training.recording import Recording

__all__ = ["fit"]

OnEpoch = Callable[[int, Classifier, float], None]


def fit(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "auto",
    record: bool = False,
    start: Classifier | None = None,
    sink: EpochSink | None = None,
    on_epoch: OnEpoch | None = None,
    rows: np.ndarray | None = None,
) -> tuple[Classifier, Recording | None]:
    """Train a fresh model on all rows and, with `record`, keep the logits of the training batches.

    seed: fixes weights, order and augmentation. start: go on with this model, in place of a fresh one.
    sink: takes each recorded epoch while training goes on.
    on_epoch: called with epoch, model and mean loss (nats) after each epoch.
    rows: ascending positions to train on instead of all; not with `record`. Raises TrainingDiverged.
    """
    fabric = Fabric(accelerator=device, devices=1, precision=config.precision)
    seed_everything(seed, verbose=False)
    rng = np.random.default_rng(seed)
    rows = np.arange(len(samples)) if rows is None else rows
    model = start or _fresh_model(samples, config, rows)
    optimizer = _optimizer(model, config)
    model, optimizer = fabric.setup(model, optimizer)
    draw = Augmenter(resident(samples.images, fabric.device), config.augmentation)
    labels = torch.tensor(samples.labels, device=fabric.device)
    steps = config.epochs * max(1, round(len(rows) / config.batch_size))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=steps + 1)
    recorder = Recorder(samples, fabric.device, sink) if record else None

    for epoch in range(config.epochs):
        model.train()
        losses, rates = torch.zeros(steps // config.epochs, device=fabric.device), []
        for number, batch in enumerate(balanced_batches(rows, config.batch_size, rng)):
            at = torch.from_numpy(batch).to(fabric.device)
            logits = model(to_float(draw(batch, rng).to(fabric.device)))
            loss = cross_entropy(logits, labels[at])
            fabric.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            rates.append(schedule.get_last_lr()[0])
            schedule.step()
            losses[number] = loss.detach()
            if recorder:
                recorder.record(at, logits)
        mean_loss = float(losses.mean())
        if not np.isfinite(mean_loss):
            raise TrainingDiverged(
                f"the loss is {mean_loss} in epoch {epoch}; lower learning_rate ({config.learning_rate})"
            )
        if recorder:
            recorder.end_epoch(float(np.mean(rates)))
        if on_epoch:
            on_epoch(epoch, model.module, mean_loss)
    if not all(torch.isfinite(weight).all() for weight in model.parameters()):
        raise TrainingDiverged(f"the weights are no numbers any more; lower learning_rate ({config.learning_rate})")
    return model.module.eval(), recorder.finish() if recorder else None


def _fresh_model(samples: Samples, config: TrainConfig, rows: np.ndarray) -> Classifier:
    architecture = Architecture(config.model, samples.image_shape, samples.num_classes, config.dropout)
    model = build(architecture, config.pretrained)
    mean, deviation = channel_moments(samples.images, rows)
    model.mean.copy_(torch.from_numpy(mean).view_as(model.mean))
    model.deviation.copy_(torch.from_numpy(deviation + 1e-3).view_as(model.deviation))
    if find(config.model).channels_last:
        model = model.to(memory_format=torch.channels_last)
    return model


def _optimizer(model: Classifier, config: TrainConfig) -> torch.optim.Optimizer:
    if config.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    return torch.optim.SGD(
        model.parameters(), config.learning_rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay
    )

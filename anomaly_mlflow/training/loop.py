"""One readable training loop; device and precision through Lightning Fabric."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric, seed_everything
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, OneCycleLR

from anomaly_mlflow.data.batches import balanced_batches, batch_count, channel_moments, to_float
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Architecture, Classifier, build, find
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_fits, check_loss, check_weights
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.rank_part import draws_of_rank, gathered, part_of_rank
from anomaly_mlflow.training.recorder import Recorder
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.resume import TrainingState
from anomaly_mlflow.training.sinks import EpochSink

__all__ = ["fit"]

OnEpoch = Callable[[int, Classifier, float], None]


def fit(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "auto",
    record: bool = False,
    evaluate: bool = False,
    start: Classifier | None = None,
    sink: EpochSink | None = None,
    on_epoch: OnEpoch | None = None,
    on_saved: Callable[[int], None] | None = None,
    rows: np.ndarray | None = None,
    checkpoint: Path | None = None,
    fabric: Fabric | None = None,
) -> tuple[Classifier, Recording | None]:
    """Train a fresh model on all rows and, with `record`, keep the logits of the training batches.

    seed: fixes weights, order and augmentation. start: go on with this model, in place of a fresh one.
    evaluate: record an evaluation pass after each epoch (no augmentation, no dropout) in place of the training batches.
    sink: takes each recorded epoch while training goes on; without one the whole recording comes back.
    on_epoch: called with epoch, model and mean loss (nats) after each epoch.
    rows: ascending positions to train on instead of all; not with `record`.
    checkpoint: folder for the state after each epoch; a state that is there already is taken up. on_saved: called with
    the epoch once its state is saved: only then is it never trained again.
    fabric: that of several ranks, which all call this; sink, callbacks and checkpoint are rank 0's alone.
    Raises TrainingDiverged, BadData, BadOption.
    """
    fabric = fabric or Fabric(accelerator=device, devices=1, precision=config.precision)
    seed_everything(seed, verbose=False)
    rng = np.random.default_rng(seed)
    rows = np.arange(len(samples)) if rows is None else rows
    check_fits(samples, config, rows, every_class=start is None)
    if record and checkpoint and sink is None:
        raise ValueError("a recording that is taken up needs a sink: what an earlier process recorded is not in memory")
    model = start or _fresh_model(samples, config, rows)
    optimizer = _optimizer(model, config)
    model, optimizer = fabric.setup(model, optimizer)
    labels, ids = (torch.tensor(values, device=fabric.device) for values in (samples.labels, samples.sample_id))
    steps = config.epochs * batch_count(len(rows), config.batch_size)
    schedule = _schedule(optimizer, config, steps)
    state = TrainingState(model.module, optimizer, schedule, rng, _made_from(samples, config, seed, rows))
    first = state.load(checkpoint) + 1 if checkpoint else 0
    ranks = fabric.world_size
    if ranks > 1:
        first = state.share(fabric, first)
    gather = gathered if ranks > 1 and not evaluate else None
    recorder = Recorder(sink, sample_id=samples.sample_id, first_epoch=first, gather=gather) if record else None

    with Feed(samples.images, config.augmentation, fabric.device) as feed:
        for epoch in range(first, config.epochs):
            batches = list(balanced_batches(rows, config.batch_size, rng))
            parts = [part_of_rank(batch, fabric.global_rank, ranks) for batch in batches]
            draws = rng if ranks == 1 else draws_of_rank(fabric.global_rank, seed, epoch)
            losses, rates = torch.zeros(len(batches), device=fabric.device), []
            model.train()
            for number, (part, images) in enumerate(feed.epoch(parts, draws)):
                at = torch.from_numpy(part).to(fabric.device)
                logits = model(to_float(images))
                # The gradients are averaged over the ranks: so weighted, they give that of the whole batch.
                loss = cross_entropy(logits, labels[at], label_smoothing=config.label_smoothing) * (
                    ranks * len(part) / len(batches[number])
                )
                fabric.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
                losses[number] = loss.detach()
                rates.append(schedule.get_last_lr()[0])
                if recorder and not evaluate:
                    recorder.record(ids[at], logits, labels[at], rates[-1])
                schedule.step()
            mean_loss = float(fabric.all_reduce(losses.mean()))
            check_loss(mean_loss, epoch, samples.num_classes, config)
            if recorder and evaluate:
                with fabric.autocast():
                    logits = infer(model.module, samples.images)[1]
                recorder.record(ids, torch.from_numpy(logits), labels, float(np.mean(rates)))
            if recorder:
                recorder.end_epoch()
            if on_epoch:
                on_epoch(epoch, model.module, mean_loss)
            if checkpoint:
                state.save(checkpoint, epoch)
                if on_saved:
                    on_saved(epoch)
    check_weights(model, config)
    return model.module.eval(), recorder.finish() if recorder else None


def _made_from(samples: Samples, config: TrainConfig, seed: int, rows: np.ndarray) -> str:
    digest = hashlib.sha256(json.dumps([config.to_dict(), seed], sort_keys=True).encode())
    for values in (samples.sample_id[rows], samples.labels[rows]):
        digest.update(np.ascontiguousarray(values))
    return digest.hexdigest()


def _fresh_model(samples: Samples, config: TrainConfig, rows: np.ndarray) -> Classifier:
    architecture = Architecture(config.model, samples.image_shape, samples.num_classes, config.dropout)
    model = build(architecture, config.pretrained)
    mean, deviation = channel_moments(samples.images, rows)
    model.mean.copy_(torch.from_numpy(mean).view_as(model.mean))
    model.deviation.copy_(torch.from_numpy(deviation + 1e-3).view_as(model.deviation))
    if find(config.model).channels_last:
        model = model.to(memory_format=torch.channels_last)
    return model


def _schedule(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> LRScheduler:
    if config.schedule == "constant":
        return ConstantLR(optimizer, factor=1.0)
    if config.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=steps)
    return OneCycleLR(optimizer, config.learning_rate, total_steps=steps + 1)


def _optimizer(model: Classifier, config: TrainConfig) -> torch.optim.Optimizer:
    if config.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    return torch.optim.SGD(
        model.parameters(), config.learning_rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay
    )

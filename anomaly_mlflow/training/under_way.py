"""A network in the midst of its training, for trainings whose epochs are not all of one kind."""

from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LRScheduler

from anomaly_mlflow.data.batches import balanced_batches, batch_count, to_float
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.guards import check_loss
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fresh_model, optimizer_of, schedule_of

__all__ = ["Net", "begin", "given_label_losses", "plain_epoch"]


@dataclass(frozen=True)
class Net:
    """A model with what trains it.

    order: draws the order of rows and the augmentation, and nothing else, so that a set on disk is read ahead in the
    same order; mixing: draws all else.
    """

    fabric: Fabric
    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    config: TrainConfig
    order: np.random.Generator
    mixing: np.random.Generator

    @property
    def classifier(self) -> Classifier:
        """The model as it is built, without what Lightning Fabric puts around it."""
        return self.model.module

    def step(self, loss: torch.Tensor) -> None:
        """Follow the gradient of this loss for one step."""
        self.fabric.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()


def begin(fabric: Fabric, samples: Samples, config: TrainConfig, seed: int, number: int = 0) -> Net:
    """A fresh network whose schedule is made for config.epochs epochs of as many batches as all samples make.

    Weights come from torch's own generator, which the caller has seeded; number: tells networks of one training apart.
    """
    rows = np.arange(len(samples))
    model = fresh_model(samples, config, rows)
    model, optimizer = fabric.setup(model, optimizer_of(model, config))
    schedule = schedule_of(optimizer, config, config.epochs * batch_count(len(rows), config.batch_size))
    order, mixing = (np.random.default_rng([seed, number, kind]) for kind in range(2))
    return Net(fabric, model, optimizer, schedule, config, order, mixing)


def plain_epoch(net: Net, feed: Feed, labels: torch.Tensor, epoch: int) -> float:
    """One epoch of cross-entropy on the given labels; returns the mean of it, nats.

    labels: int64 (n,) on the device. Raises TrainingDiverged.
    """
    batches = list(balanced_batches(np.arange(len(labels)), net.config.batch_size, net.order))
    losses = []
    net.model.train()
    for rows, images in feed.epoch(batches, net.order):
        logits = net.model(to_float(images))
        loss = cross_entropy(logits, labels[torch.from_numpy(rows).to(labels.device)])
        net.step(loss)
        losses.append(loss.detach())
    mean_loss = float(torch.stack(losses).mean())
    check_loss(mean_loss, epoch, logits.shape[1], net.config)
    return mean_loss


def given_label_losses(net: Net, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """An evaluation pass over all samples: loss of the given label, nats, float32 (n,), and embeddings."""
    with net.fabric.autocast():
        embeddings, logits = infer(net.classifier, samples.images)
    loss = cross_entropy(torch.from_numpy(logits), torch.tensor(samples.labels), reduction="none")
    return loss.numpy(), embeddings

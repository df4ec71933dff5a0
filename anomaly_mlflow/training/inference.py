"""Evaluation passes in float32: embeddings, logits, stochastic passes of the head."""

import numpy as np
import torch
from torch.nn.functional import linear

from anomaly_mlflow.data.batches import to_float
from anomaly_mlflow.data.on_disk import read
from anomaly_mlflow.data.patches import PATCHES, rearranged
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier

__all__ = ["accuracy", "fitting_batch", "infer", "infer_layers", "rearranged_logits", "stochastic_logits"]


@torch.inference_mode()
def infer(
    model: Classifier, images: np.ndarray, batch_size: int | None = None, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings float32 (n, d) and logits float32 (n, classes) of uint8 (n, height, width, channels).

    batch_size: by default 500, fewer above 64 x 64 pixels; rows: bool, only these rows are read and come back.
    """
    batch_size = batch_size or fitting_batch(images)
    rows = np.arange(len(images)) if rows is None else np.flatnonzero(rows)
    training = model.training
    model.eval()
    device = model.mean.device
    # Filled in place: small results that lie between the batches would keep glibc < 2.38 from reusing their memory.
    embeddings = np.empty((len(rows), model.body.width), np.float32)
    logits = np.empty((len(rows), model.architecture.num_classes), np.float32)
    for start in range(0, len(rows), batch_size):
        part = slice(start, start + batch_size)
        embedding = model.embed(to_float(torch.from_numpy(read(images, rows[part])).to(device))).float()
        with torch.autocast(device.type, enabled=False):  # a caller may have it on: numpy has no bfloat16
            embeddings[part], logits[part] = embedding.cpu(), model.head(embedding).cpu()
    model.train(training)
    return embeddings, logits


@torch.inference_mode()
def infer_layers(model: Classifier, images: np.ndarray, batch_size: int | None = None) -> list[np.ndarray]:
    """Output of each stage averaged over positions, float32 (n, d_l) in order of depth; the embedding is the last."""
    batch_size = batch_size or fitting_batch(images)
    training = model.training
    model.eval()
    device = model.mean.device
    layers, rows = [], np.arange(len(images))
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        outputs = model.layers(to_float(torch.from_numpy(read(images, rows[part])).to(device)))
        layers = layers or [np.empty((len(images), output.shape[1]), np.float32) for output in outputs]
        for layer, output in zip(layers, outputs, strict=True):
            layer[part] = output.cpu()
    model.train(training)
    return layers


def fitting_batch(images: np.ndarray) -> int:
    """Images that are evaluated at a time: 500, fewer above 64 x 64 pixels."""
    return max(1, min(500, 500 * 64**2 // (images.shape[1] * images.shape[2])))


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


def rearranged_logits(model: Classifier, images: np.ndarray, orders: int, seed: int) -> np.ndarray:
    """Logits float32 (orders, n, classes) of the images with their 16 parts in other places.

    The orders come from `seed` alone and are the same for every image: a row depends on no other.
    """
    drawn = np.random.default_rng(seed).permuted(np.tile(np.arange(PATCHES**2), (orders, 1)), axis=1)
    logits = np.empty((orders, len(images), model.architecture.num_classes), np.float32)
    step = fitting_batch(images)
    for start in range(0, len(images), step):
        rows = np.arange(start, min(start + step, len(images)))
        part = read(images, rows)
        for number, order in enumerate(drawn):
            logits[number, rows] = infer(model, rearranged(part, order))[1]
    return logits

"""What recording costs: epochs with it, Parquet writing included, against plain ones; and two dearer ways beside it."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import transforms

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.epoch_files import write_epoch
from anomaly_mlflow.training.loop import fit
from benchmarks.images import cifar, kind
from benchmarks.measure import interleaved, one_thread, ratio_of_medians
from benchmarks.plain import DEVIATION, MEAN, Pictures
from benchmarks.rows import Row, publish

ROUNDS = 16
SIZES = {"convnet": 2048, "vit": 512}
BAR = (float("-inf"), 1.03)


def main() -> None:
    """Measure both models, an epoch at a time; the dearer ways with the conv net alone."""
    one_thread()
    rows = []
    for model, size in SIZES.items():
        samples = cifar(size)
        config = replace(configure(model, samples.image_shape), epochs=1)
        with tempfile.TemporaryDirectory() as folder:
            seconds = interleaved(_ways(samples, config, Path(folder), dear=model == "convnet"), ROUNDS)
        note = f"CPU s of {size} {kind()} images, {config.precision}"
        for way in list(seconds)[1:]:
            figures = ratio_of_medians(seconds[way], seconds["plain"])
            bar = BAR if way == "recording" else None
            rows.append(Row(f"{model}: epoch, {way} / plain", *figures, ROUNDS, bar, note))
    publish(rows)


def _ways(samples: Samples, config: TrainConfig, folder: Path, dear: bool) -> dict[str, Callable[[], object]]:
    sink = partial(write_epoch, folder)
    train = partial(fit, samples, config, seed=0, device="cpu")
    train()  # warm up
    ways = {"plain": train, "recording": partial(train, record=True, sink=sink)}
    if dear:
        ways["clean evaluation pass recorded"] = partial(train, record=True, evaluate=True, sink=sink)
        ways["further inference pass of a user"] = partial(train, on_epoch=partial(_inference_pass, samples, folder))
    return ways


@torch.no_grad()
def _inference_pass(samples: Samples, folder: Path, epoch: int, model: Classifier, loss: float) -> None:
    """What is usually written to get per-sample figures: a DataLoader in order, a table, a file."""
    model.eval()
    plain = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)])
    parts = []
    for images, labels in DataLoader(Pictures(samples, plain), 256):
        logits = model(images)
        part = pd.DataFrame(logits.numpy(), columns=[f"logit_{number}" for number in range(logits.shape[1])])
        parts.append(part.assign(loss=cross_entropy(logits, labels, reduction="none").numpy(), label=labels.numpy()))
    pd.concat(parts).to_parquet(folder / f"{epoch}.parquet")


if __name__ == "__main__":
    main()

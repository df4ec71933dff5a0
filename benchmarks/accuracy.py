"""Test accuracy of our loop and of a plain PyTorch loop: precision and memory format may not cost any."""

from dataclasses import replace

import joblib
import numpy as np
import torch
from joblib import delayed
from tqdm import tqdm

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.inference import accuracy
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side
from benchmarks.images import TEST_ROWS, cifar, is_real
from benchmarks.measure import difference_of_means, one_thread
from benchmarks.plain import DEVIATION, MEAN, pipeline, plain_fit
from benchmarks.rows import Row, publish

SIZE, EPOCHS, SEEDS = 5_120, 10, 3
BAR = (-1.0, 1.0)
NAME = "convnet: test accuracy, our loop less the plain one, points"


def main() -> None:
    """Train both ways with each seed, as many at a time as there are cores."""
    if not is_real():
        publish([Row(NAME, None, None, None, 0, BAR, "not measured: random images teach nothing, set ANOMALY_DATA")])
        return
    samples, test = cifar(SIZE), cifar(TEST_ROWS, "test")
    config = replace(configure("convnet", samples.image_shape, "cpu"), epochs=EPOCHS)
    tasks = [delayed(way)(samples, test, config, seed) for seed in range(SEEDS) for way in (_ours, _plain)]
    done = side_by_side(tasks, joblib.cpu_count())
    points = 100 * np.array(list(tqdm(done, "trainings", len(tasks), leave=False))).reshape(SEEDS, 2)
    ours, plain = points.mean(axis=0)
    note = (
        f"{ours:.1f} and {plain:.1f} %, {EPOCHS} epochs of {SIZE:,} CIFAR-10 images, ours {config.precision}; n: seeds"
    )
    publish([Row(NAME, *difference_of_means(points[:, 0], points[:, 1]), SEEDS, BAR, note)])


def _ours(samples: Samples, test: Samples, config: TrainConfig, seed: int) -> float:
    one_thread()
    return accuracy(fit(samples, config, seed=seed, device="cpu", record=True)[0], test)


def _plain(samples: Samples, test: Samples, config: TrainConfig, seed: int) -> float:
    """With our augmentation, so that the loops alone differ."""
    one_thread()
    model = plain_fit(samples, config, seed=seed, transform=pipeline(padding=2, padding_mode="reflect"))
    for inside, values in ((model.mean, MEAN), (model.deviation, DEVIATION)):  # what its transforms did until now
        inside.copy_(torch.tensor(values).view_as(inside))
    return accuracy(model, test)


if __name__ == "__main__":
    main()

"""Test accuracy of several ranks less that of one, on digits of which a fifth bears a wrong label.

`torchrun --standalone --nproc-per-node 2 -m benchmarks.ranks`
"""

import sys
from dataclasses import replace

import numpy as np
from scipy.stats import t

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.inference import accuracy
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.ranks import fit_over_ranks, run_on_ranks
from anomaly_mlflow.training.torchrun import number_of_ranks
from benchmarks.rows import Row, publish

MODELS, SEEDS, WRONG = ("convnet", "vit"), 3, 0.2


def flipped(samples: Samples) -> Samples:
    """The samples with a fifth of the labels drawn anew among the other classes."""
    rng = np.random.default_rng(0)
    shift = np.where(rng.random(len(samples)) < WRONG, rng.integers(1, samples.num_classes, len(samples)), 0)
    return replace(samples, labels=(samples.labels + shift) % samples.num_classes)


def compare() -> int:
    """Train each model and seed on all ranks and on one; the 95 % interval is over the seeds."""
    train, test = load_split("digits")
    train, rows = flipped(train), []
    for model in MODELS:
        config = configure(model, train.image_shape, "cpu")
        pairs = [
            [accuracy(way(train, config, seed=seed, device="cpu")[0], test) * 100 for way in (fit_over_ranks, fit)]
            for seed in range(SEEDS)
        ]
        several, one = np.mean(pairs, axis=0)
        gaps = np.subtract(*np.transpose(pairs))
        mean, half = float(gaps.mean()), float(t.ppf(0.975, SEEDS - 1) * gaps.std(ddof=1) / np.sqrt(SEEDS))
        note = f"{several:.2f} % with {number_of_ranks()} ranks, {one:.2f} % with one; by seed {np.round(gaps, 2)}"
        name = f"test accuracy of {model}, several ranks less one, in points"
        rows.append(Row(name, mean, mean - half, mean + half, SEEDS, (-1.5, 1.5), note))
    publish(rows)
    return 0


if __name__ == "__main__":
    sys.exit(run_on_ranks(compare))

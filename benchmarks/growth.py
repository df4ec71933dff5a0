"""How the time to the end of a recorded epoch grows with the number of images."""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.epoch_files import write_epoch
from anomaly_mlflow.training.loop import fit
from benchmarks.images import cifar, kind
from benchmarks.measure import exponent, interleaved, one_thread
from benchmarks.rows import Row, publish

SIZES, ROUNDS = (5_000, 10_000, 20_000, 40_000), 3
BAR = (0.9, 1.1)


def main() -> None:
    """One epoch of the conv net at each size, Parquet writing included."""
    one_thread()
    samples = cifar(max(SIZES))
    config = replace(configure("convnet", samples.image_shape, "cpu"), epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        train = partial(fit, config=config, seed=0, device="cpu", record=True, sink=partial(write_epoch, Path(folder)))
        train(_first(samples, config.batch_size * 2))  # warm up
        seconds = interleaved({f"{size} images": partial(train, _first(samples, size)) for size in SIZES}, ROUNDS)
    figures = exponent(np.array(SIZES), np.stack(list(seconds.values())))
    medians = ", ".join(f"{np.median(values):.1f}" for values in seconds.values())
    note = f"{medians} CPU s at {', '.join(map(str, SIZES))} {kind()} images"
    publish([Row("time to epoch end: exponent in the number of images", *figures, ROUNDS, BAR, note)])


def _first(samples: Samples, size: int) -> Samples:
    return samples.take(np.arange(size))


if __name__ == "__main__":
    main()

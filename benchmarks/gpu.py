"""Images per second on a GPU: our loop with and without the recorder, against a plain PyTorch loop there."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter

import numpy as np
import torch

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.loop import fit
from benchmarks.images import cifar, kind
from benchmarks.measure import interleaved, ratio_of_medians
from benchmarks.plain import plain_fit
from benchmarks.rows import Row, publish

SIZE, EPOCHS, ROUNDS, WORKERS = 50_000, 2, 5, 4
MODELS = ("convnet", "resnet18")


def main() -> None:
    """Elapsed seconds of whole trainings; without a GPU one row that says so."""
    if not torch.cuda.is_available():
        publish([Row("GPU: our loop / plain PyTorch loop", None, None, None, 0, note="skipped: no GPU here")])
        return
    samples = cifar(SIZE)
    publish([row for model in MODELS for row in _rows(model, samples)])


def _rows(model: str, samples: Samples) -> list[Row]:
    config = replace(configure(model, samples.image_shape, "cuda"), epochs=EPOCHS)
    ours = partial(fit, config=config, seed=0, device="cuda")
    plain = partial(plain_fit, config=config, seed=0, device="cuda", workers=WORKERS)
    ways = {"recorder on": partial(ours, record=True), "recorder off": ours, "plain": plain}
    for way in ways.values():
        way(samples.take(np.arange(2 * config.batch_size)))  # warm up
    seconds = interleaved(
        {name: partial(_to_the_end, way, samples) for name, way in ways.items()}, ROUNDS, perf_counter
    )
    rates = {name: f"{EPOCHS * len(samples) / np.median(values):,.0f}" for name, values in seconds.items()}
    note = f"images per s: recorder on {rates['recorder on']}, off {rates['recorder off']}, plain {rates['plain']}"
    note += f"; {kind()}, ours {config.precision}, plain with {WORKERS} loader workers"
    faster = ratio_of_medians(seconds["plain"], seconds["recorder on"])
    dearer = ratio_of_medians(seconds["recorder on"], seconds["recorder off"])
    return [
        Row(f"GPU, {model}: our loop, recording / plain PyTorch loop", *faster, ROUNDS, note=note),
        Row(f"GPU, {model}: training, recording / plain", *dearer, ROUNDS, note=note),
    ]


def _to_the_end(train: Callable, samples: Samples) -> None:
    train(samples)
    torch.cuda.synchronize()


if __name__ == "__main__":
    main()

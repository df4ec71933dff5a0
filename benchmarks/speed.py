"""Images per CPU second: our loop, recording, against a plain PyTorch loop on the same model and batch."""

from dataclasses import replace
from functools import partial

import torch

from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.loop import fit
from benchmarks.images import cifar, kind
from benchmarks.measure import interleaved, one_thread, ratio_of_medians
from benchmarks.plain import plain_fit
from benchmarks.rows import Row, publish

SIZES, ROUNDS = {"convnet": 2048, "resnet18": 256}, 9
BAR = (2.5, float("inf"))


def main() -> None:
    """Whole trainings of one epoch, set-up included on both sides."""
    one_thread()
    publish([_row(model, size) for model, size in SIZES.items()])


def _row(model: str, size: int) -> Row:
    samples = cifar(size)
    config = replace(configure(model, samples.image_shape, "cpu"), epochs=1)
    ours, plain = (
        partial(fit, samples, config, seed=0, device="cpu", record=True),
        partial(plain_fit, samples, config, seed=0),
    )
    ours(), plain()  # warm up
    seconds = interleaved({"ours": ours, "plain": plain}, ROUNDS)
    ratio = ratio_of_medians(seconds["plain"], seconds["ours"])
    rates = {name: size / sorted(values)[ROUNDS // 2] for name, values in seconds.items()}
    note = f"{rates['ours']:,.0f} against {rates['plain']:,.0f} images per CPU s, {kind()}, ours {config.precision}"
    amx = torch.cpu._is_amx_tile_supported()
    reason = "" if amx else "; no bar: the CPU has no AMX"
    return Row(f"{model}: our loop / plain PyTorch loop", *ratio, ROUNDS, BAR if amx else None, note + reason)


if __name__ == "__main__":
    main()

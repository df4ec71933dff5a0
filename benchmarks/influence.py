"""Influence on a reference set: seconds beside captum's TracInCPFast, peak memory and growth of all its scores."""

import math
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from captum.influence import TracInCPFast
from torch.utils.data import TensorDataset

from anomaly_mlflow.data.batches import to_float
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models import Architecture, Classifier, build
from anomaly_mlflow.signals.influence_scores import influence_scores
from anomaly_mlflow.signals.traces import collect_traces
from benchmarks.images import cifar, kind
from benchmarks.measure import exponent, interleaved, one_thread, ratio_of_medians
from benchmarks.memory import peak
from benchmarks.rows import Row, publish
from benchmarks.saved_states import CLASSES, KNOWN, STATES, WIDTH, saved_states

ROWS, REFERENCES, BATCH, ROUNDS = 1_000, 500, 100, 3
MOST = 50_000
SIZES = (MOST // 8, MOST // 4, MOST // 2, MOST)
FASTER, MEMORY, LINEAR = (5.0, math.inf), (-math.inf, 1.5), (0.9, 1.1)
RATE = 0.1


def main() -> None:
    """One thread each; captum gives the matrix of all pairs, ours all scores."""
    one_thread()
    publish([*beside_captum(), memory(), growth()])


def beside_captum() -> list[Row]:
    """Seconds from images on, one saved state; captum evaluates the reference once a batch of rows."""
    rows, reference = cifar(ROWS), cifar(REFERENCES, "test")
    model = build(Architecture("convnet", rows.image_shape, rows.num_classes)).eval()
    ways = {
        "ours": partial(_ours, model, rows, reference),
        "batches": partial(_captum, model, rows, reference, BATCH),
        "at once": partial(_captum, model, rows, reference, ROWS),
    }
    for way in ways.values():
        way()  # warm up
    seconds = interleaved(ways, ROUNDS)
    of = f"{ROWS:,} rows, {REFERENCES} reference {kind()} images, conv net"
    said = [("batches", f"batches of {BATCH}", FASTER), ("at once", "one batch", None)]
    return [
        Row(
            f"influence: captum TracInCPFast, {how} / ours",
            *ratio_of_medians(seconds[way], seconds["ours"]),
            ROUNDS,
            bar,
            f"{np.median(seconds['ours']):.2f} against {np.median(seconds[way]):.2f} CPU s, forward included; {of}",
        )
        for way, how, bar in said
    ]


def memory() -> Row:
    """GB of a process that makes all scores."""
    with tempfile.TemporaryDirectory() as folder:
        found = peak(["-m", "benchmarks.influence", str(MOST)], Path(folder))
    note = f"GB, interpreter included; {MOST:,} x {KNOWN:,}, {WIDTH} wide, {CLASSES} classes, {STATES} saved states"
    return Row("memory of all influence scores", found, None, None, 1, MEMORY, note)


def growth() -> Row:
    """CPU seconds of all scores at each number of rows."""
    ways = {
        f"{size} rows": partial(influence_scores, saved_states(np.arange(size) % CLASSES), device="cpu")
        for size in SIZES
    }
    seconds = np.stack(list(interleaved(ways, ROUNDS).values()))
    medians = ", ".join(f"{np.median(values):.1f}" for values in seconds)
    note = f"{medians} CPU s at {', '.join(f'{size:,}' for size in SIZES)} rows"
    name = "time of all influence scores: exponent in the number of rows"
    return Row(name, *exponent(np.array(SIZES), seconds), ROUNDS, LINEAR, note)


def all_scores(rows: int) -> None:
    """Of so many rows."""
    influence_scores(saved_states(np.arange(rows) % CLASSES), device="cpu")


def _ours(model: Classifier, rows: Samples, reference: Samples) -> None:
    influence_scores(collect_traces([model], [RATE], rows, reference), device="cpu")


def _captum(model: Classifier, rows: Samples, reference: Samples, batch: int) -> None:
    own, known = (
        (to_float(torch.from_numpy(side.images)), torch.from_numpy(side.labels)) for side in (rows, reference)
    )
    TracInCPFast(
        model,
        "head",
        TensorDataset(*own),
        checkpoints=["as it is"],
        checkpoints_load_func=lambda *_: RATE,
        loss_fn=torch.nn.CrossEntropyLoss(reduction="sum"),
        batch_size=batch,
    ).influence(known)


if __name__ == "__main__":
    all_scores(int(sys.argv[1])) if len(sys.argv) > 1 else main()

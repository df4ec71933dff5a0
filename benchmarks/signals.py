"""All signals of 50,000 samples, once models are trained and have looked at the images: seconds and peak memory."""

import resource
import time
from collections.abc import Callable

import joblib
import numpy as np
from scipy.special import log_softmax
from tqdm import tqdm

from anomaly_mlflow.signals import SIGNALS, CrossFit, Evidence, Head
from anomaly_mlflow.signals.collect import ORDERS
from anomaly_mlflow.signals.evidence import NEIGHBOURS
from anomaly_mlflow.signals.neighbours import nearest
from anomaly_mlflow.training.probes import SUITES, ProbeRun
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.second_split import SecondSplit
from benchmarks.measure import ratio_of_medians
from benchmarks.rows import Row, publish
from benchmarks.saved_states import saved_states

N, CLASSES, WIDTH, EPOCHS, PASSES, FOLDS = 50_000, 10, 128, 15, 30, 5
STAGES, ROUNDS = (24, 32, 64), 2


def clustered(labels: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    """Embeddings around a centre for each class, float32 (n, width)."""
    centres = rng.normal(size=(CLASSES, width))
    return (centres[labels] + rng.normal(size=(len(labels), width))).astype(np.float32)


def evidence() -> Evidence:
    """Evidence of the size of CIFAR-10's training set, as five folds and the convnet leave it."""
    rng = np.random.default_rng(0)
    rows, labels = np.arange(N), rng.integers(0, CLASSES, N)
    embeddings, clean = clustered(labels, WIDTH, rng), clustered(labels, WIDTH, rng)
    head = Head(rng.normal(size=(CLASSES, WIDTH)).astype(np.float32) / 4, np.zeros(CLASSES, np.float32))
    logits = embeddings @ head.weight.T
    recorded = rng.normal(size=(EPOCHS, N, CLASSES)).astype(np.float32) + 3 * np.eye(CLASSES, dtype=np.float32)[labels]
    fold = rng.integers(0, FOLDS, N)
    known = rng.random(N) < 0.75
    pairs = [(rows[fold == k], rows[(fold != k) & known]) for k in range(FOLDS)]
    suite = np.full(N, -1)
    suite[:1000] = np.arange(1000) % len(SUITES)
    loss = -log_softmax(recorded, axis=2)[:, rows, labels]
    return Evidence(
        rows,
        labels,
        CLASSES,
        images=rng.integers(0, 256, (N, 32, 32, 3), dtype=np.uint8),
        logits=logits,
        embeddings=embeddings,
        head=head,
        layers=[*(clustered(labels, width, rng) for width in STAGES), embeddings],
        gradient_spread=rng.random(N).astype(np.float32),
        stochastic=logits + rng.normal(size=(PASSES, N, CLASSES)).astype(np.float32),
        rearranged=logits + rng.normal(size=(ORDERS, N, CLASSES)).astype(np.float32),
        recording=Recording(recorded.astype(np.float16), labels, rows, np.ones(EPOCHS)),
        references=[CrossFit(judged, clean[judged], judged, clean[r], labels[r], r) for judged, r in pairs],
        out_of_fold=logits,
        second_split=[SecondSplit(rows[fold != k], rng.random((5, (fold != k).sum())) < 0.8) for k in range(3)],
        probes=[ProbeRun(loss, suite), ProbeRun(loss, np.roll(suite, 2000))],
        traces=saved_states(labels),
    )


def main() -> None:
    """Elapsed seconds on all cores; in each round of new evidence the first signal that needs something shared pays."""
    searches, each = [], []
    for _ in tqdm(range(ROUNDS), "rounds", leave=False):
        made = evidence()
        searches.append(_seconds(lambda made=made: nearest(made.embeddings, NEIGHBOURS)))
        each.append([_seconds(lambda signal=signal, made=made: signal(made)) for signal in SIGNALS.values()])
    totals, slowest = np.sum(each, axis=1), np.argsort(-np.median(each, axis=0))[:3]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    names = ", ".join(list(SIGNALS)[number] for number in slowest)
    note = f"{np.median(totals):.0f} s on {joblib.cpu_count()} cores, peak {peak:.1f} GiB; slowest: {names}"
    name = f"signals: all {len(SIGNALS)} of {N:,} samples / one exact neighbour search"
    publish([Row(name, *ratio_of_medians(totals, np.array(searches)), ROUNDS, note=note)])


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

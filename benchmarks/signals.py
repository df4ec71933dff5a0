"""All signals of 50,000 samples: seconds of each, of all together, and peak memory. Prints a table and bench.json."""

import resource
import time

import joblib
import numpy as np
from scipy.special import log_softmax

from anomaly_mlflow.signals import SIGNALS, CrossFit, Evidence, Head
from anomaly_mlflow.signals.neighbours import nearest
from anomaly_mlflow.training.probes import SUITES, ProbeRun
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.second_split import SecondSplit
from benchmarks.rows import keep

N, CLASSES, WIDTH, EPOCHS, PASSES, FOLDS = 50_000, 10, 128, 15, 30, 5
STAGES = (24, 32, 64)


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
        recording=Recording(recorded.astype(np.float16), labels, rows, np.ones(EPOCHS)),
        references=[CrossFit(judged, clean[judged], judged, clean[r], labels[r], r) for judged, r in pairs],
        out_of_fold=logits,
        second_split=[SecondSplit(rows[fold != k], rng.random((5, (fold != k).sum())) < 0.8) for k in range(3)],
        probes=[ProbeRun(loss, suite), ProbeRun(loss, np.roll(suite, 2000))],
    )


def main() -> None:
    """Time every signal in the order of the registry; the first that needs something shared pays for it."""
    made = evidence()
    start = time.perf_counter()
    nearest(made.embeddings, 30)
    search = time.perf_counter() - start
    seconds = {}
    for signal in SIGNALS.values():
        start = time.perf_counter()
        signal(made)
        seconds[signal.column] = time.perf_counter() - start
    total, peak = sum(seconds.values()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for column, one in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{column:40} {one:7.2f} s")
    print(f"{len(seconds)} signals of {N:,} samples on {joblib.cpu_count()} cores: {total:.0f} s, peak {peak:.1f} GiB,")
    print(f"{total / search:.1f} times one exact neighbour search of {N:,} x {N:,} x {WIDTH}")
    row = {"signals": len(seconds), "seconds": round(total, 1), "peak_gib": round(peak, 2)}
    keep("signals", row | {"ratio_to_one_neighbour_search": round(total / search, 2)})


if __name__ == "__main__":
    main()

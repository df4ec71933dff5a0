"""What recording costs: epochs with and without it, in turns, in one process. Prints ratios and bench.json."""

import statistics
import time
from dataclasses import replace

import torch

from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.loop import fit
from benchmarks.rows import keep

ROUNDS, EPOCHS = 7, 4


def seconds(record: bool) -> float:
    """CPU seconds of one short training on the bundled digits."""
    start = time.process_time()
    fit(SAMPLES, CONFIG, seed=0, record=record)
    return time.process_time() - start


torch.set_num_threads(1)
SAMPLES, _ = load_split("digits")
CONFIG = replace(configure("convnet", SAMPLES.image_shape), epochs=EPOCHS)

if __name__ == "__main__":
    seconds(True)  # warm up
    ratios = [seconds(True) / seconds(False) for _ in range(ROUNDS)]
    row = {"ratio": round(statistics.median(ratios), 3), "low": round(min(ratios), 3), "high": round(max(ratios), 3)}
    print(f"an epoch with recording / without: {row['ratio']} (range of {ROUNDS}: {row['low']} to {row['high']})")
    keep("recording", row)

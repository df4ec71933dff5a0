"""One of many writers: replays a recording into a run through the recorder's own sink, and logs metrics in between.

`python -m benchmarks.writer NUMBER EPOCHS SECONDS [ROWS]`: an epoch of 50,000 samples every so many seconds; the last
line of the output is JSON: run, sha256 of each file by its path in the run, seconds of each call that logged five
metrics. With ROWS, epochs are so long, and no metrics are logged: those calls fail while the server is away.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import mlflow
import torch

from anomaly_mlflow.tracking.recording_run import RunFiles, to_run
from anomaly_mlflow.training.recorder import Recorder
from benchmarks.history import CLASSES, ROWS

METRICS = 5
PAUSE = 0.5
"""Seconds between two calls that log metrics."""


class Hashed:
    """A sink of files that remembers what passed through it."""

    def __init__(self, inner: RunFiles):
        self._inner, self.folder = inner, inner.folder
        self.digests: dict[str, str] = {}

    def upload(self, file: Path) -> None:
        """Note the file, and send it on."""
        path = f"{self.folder.name}/{file.relative_to(self.folder).as_posix()}"
        self.digests[path] = hashlib.sha256(file.read_bytes()).hexdigest()
        self._inner.upload(file)

    def close(self) -> None:
        """Close what it passes on to."""
        self._inner.close()


def write() -> None:
    """Write, and say what was written."""
    number, epochs, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    rows, silent = (int(sys.argv[4]), True) if len(sys.argv) > 4 else (ROWS, False)
    torch.set_num_threads(1)
    inner = to_run("load")
    sink = Hashed(inner)
    recorder, client = Recorder(sink), mlflow.MlflowClient()
    generator = torch.Generator().manual_seed(number)
    ids, labels = torch.arange(rows), torch.randint(CLASSES, (rows,), generator=generator)
    waited: list[float] = []
    begun = time.monotonic()
    for epoch in range(epochs):
        for batch in ids.split(rows // 10):
            recorder.record(batch, torch.randn(len(batch), CLASSES, generator=generator), labels[batch])
        recorder.end_epoch()
        while time.monotonic() < begun + (epoch + 1) * seconds:
            if not silent:
                waited.append(_log_metrics(client, inner.run.id, len(waited)))
            time.sleep(PAUSE)
    recorder.finish()
    print(json.dumps({"run": inner.run.id, "digests": sink.digests, "waited": waited}))


def _log_metrics(client: mlflow.MlflowClient, run: str, step: int) -> float:
    now = time.time_ns() // 10**6
    values = [mlflow.entities.Metric(f"metric_{k}", step + k, now, step) for k in range(METRICS)]
    start = time.perf_counter()
    client.log_batch(run, metrics=values)
    return time.perf_counter() - start


if __name__ == "__main__":
    write()

"""A recording sent to a real MLflow server over HTTP: its size there, and its time beside `log_table`."""

import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import mlflow
import numpy as np
import pandas as pd

from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.epoch_files import write_epoch
from anomaly_mlflow.training.recording import Recording
from benchmarks.history import CLASSES, EPOCHS, ROWS, epochs
from benchmarks.measure import interleaved, one_thread, ratio_of_medians
from benchmarks.rows import Row, publish

__all__ = ["server"]

ROUNDS = 10
LARGEST, BAR = 32.0, (10.0, math.inf)


def main() -> None:
    """Send some epochs both ways in turns, then the others as Parquet, and look at the server's disk."""
    one_thread()
    parts = epochs()
    with tempfile.TemporaryDirectory() as home, server(Path(home)) as (address, _):
        mlflow.set_tracking_uri(address)
        client = mlflow.MlflowClient()
        run, tables = (client.create_run("0").info.run_id for _ in range(2))
        ours = partial(_send_files, Run(run), Path(home, "recording"), iter(enumerate(parts)))
        theirs = partial(_send_table, client, tables, iter(enumerate(parts)))
        client.log_table(tables, _frame(parts[0]).head(), "warm_up.json")
        seconds = interleaved({"recording": ours, "log_table": theirs}, ROUNDS, time.perf_counter)
        for _ in range(ROUNDS, EPOCHS):
            ours()
        size = _megabytes(Path(home, "store"), f"{run}/**/*.parquet")
        table = _megabytes(Path(home, "store"), "epoch_*.json") / ROUNDS * EPOCHS
    name = f"server: MB of {ROWS:,} x {EPOCHS} x ({CLASSES} logits + 6 scalars)"
    medians = {way: np.median(values) for way, values in seconds.items()}
    note = f"{medians['recording']:.2f} against {medians['log_table']:.1f} s an epoch, over HTTP, one epoch a round"
    faster = ratio_of_medians(seconds["log_table"], seconds["recording"])
    publish(
        [
            Row(name, size, None, None, 1, (-math.inf, LARGEST), f"log_table: {table:,.0f} MB"),
            Row("server: sending, log_table / recording", *faster, ROUNDS, BAR, note),
        ]
    )


def _megabytes(folder: Path, pattern: str) -> float:
    return sum(file.stat().st_size for file in folder.rglob(pattern)) / 1e6


def _send_files(run: Run, folder: Path, parts: Iterator[tuple[int, Recording]]) -> None:
    path = write_epoch(folder, *next(parts))
    run.log_file(path, f"recording/{path.parent.name}")


def _send_table(client: mlflow.MlflowClient, run_id: str, parts: Iterator[tuple[int, Recording]]) -> None:
    epoch, part = next(parts)
    client.log_table(
        run_id, _frame(part), f"epoch_{epoch}.json"
    )  # one growing table would be read and sent anew each time


def _frame(part: Recording) -> pd.DataFrame:
    columns = {
        name: getattr(part, name)[0] for name in ("loss", "confidence", "margin", "entropy", "predicted", "correct")
    }
    logits = {f"logit_{number}": part.logits[0, :, number].astype(np.float32) for number in range(CLASSES)}
    return pd.DataFrame({"sample_id": part.sample_id, "given_label": part.labels, **columns, **logits})


@contextmanager
def server(home: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """An MLflow server on SQLite with its artifacts in home/store; its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1", str(free.getsockname()[1])
    command = [sys.executable, "-m", "mlflow", "server", "--host", address[0], "--port", address[1], "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "store")]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with open(home / "server.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=home, start_new_session=True)
        try:
            yield _when_up(f"http://{':'.join(address)}", process), process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _when_up(address: str, process: subprocess.Popen) -> str:
    for _ in range(600):
        with suppress(OSError), urlopen(f"{address}/health", timeout=5):
            return address
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError("the MLflow server does not start")


if __name__ == "__main__":
    main()

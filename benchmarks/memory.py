"""Peak memory: train_noisy on all of CIFAR-10, and a training from an image folder that grows fourfold."""

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
from PIL import Image

from anomaly_mlflow.data import on_disk
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.loop import fit
from benchmarks.rows import Row, publish

ROOT = Path(__file__).resolve().parent.parent
CIFAR10 = Path(os.environ.get("ANOMALY_DATA", ROOT.parent / "shared" / "data")) / "cifar10" / "train.parquet"
SMALL, SIDE = 2_000, 96
"""Images of the smaller folder, and pixels a side: the larger one holds 166 MB more."""


def peak(command: list[str], folder: Path) -> float:
    """GB that a command and its children held at most: resident memory, file pages too, added up every 20 ms."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    highest = 0
    with subprocess.Popen([sys.executable, *command], cwd=folder, env=environment) as process:
        while process.poll() is None:
            highest = max(highest, _resident(psutil.Process(process.pid)))
            time.sleep(0.02)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with code {process.returncode}")
    return highest / 1e9


def _resident(process: psutil.Process) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def all_of_cifar10(folder: Path, interpreter: float) -> Row:
    """GB of the step above the interpreter; what it builds on is made before, in another process."""
    options = [f"--dataset=parquet:{CIFAR10}", "--baseline_epochs=1", "--baseline_folds=2", "--jobs=1"]
    peak(["-m", "entry_points", "generate_noise", *options], folder)
    found = peak(["-m", "entry_points", "train_noisy", *options, "--model=convnet", "--epochs=1"], folder) - interpreter
    note = f"GB above {interpreter:.2f} GB; resident, children included"
    return Row("memory of train_noisy, 50,000 CIFAR-10 images", found, None, None, 1, (-math.inf, 2.0), note)


def growing_folder(folder: Path, interpreter: float) -> Row:
    """What a training from a folder takes above the interpreter, by what it takes from a quarter of the images."""
    above = []
    for n in (SMALL, 4 * SMALL):
        write_images(folder / str(n), n)
        above.append(peak(["-m", "benchmarks.memory", str(folder / str(n))], folder) - interpreter)
        shutil.rmtree(folder / str(n))
    note = f"{above[1]:.2f} / {above[0]:.2f} GB above the interpreter, {4 * SMALL} / {SMALL} images of {SIDE}x{SIDE}"
    return Row(
        "memory of training from a folder, four times larger", above[1] / above[0], None, None, 1, (0, 1.1), note
    )


def write_images(folder: Path, n: int) -> None:
    """n images of noise in two class folders; BMP, which takes no time to pack."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    for number in range(n):
        pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "ab"[number % 2] / f"{number}.bmp")


def train_from_disk(folder: str) -> None:
    """Load a folder as if memory were short, and train an epoch with recording."""
    psutil.virtual_memory = lambda: SimpleNamespace(available=0)
    samples, test = load_split(f"imagefolder:{folder}")
    assert on_disk.is_on_disk(samples.images) and on_disk.is_on_disk(test.images)
    config = TrainConfig("convnet", epochs=1, batch_size=16, learning_rate=0.001, augmentation="flip")
    fit(samples, config, seed=0, device="cpu", record=True)


def main() -> None:
    """Measure both in a temporary folder."""
    with tempfile.TemporaryDirectory() as temporary:
        interpreter = peak(["-c", "import torch, time; time.sleep(1)"], Path(temporary))
        rows = [growing_folder(Path(temporary), interpreter)]
        if CIFAR10.exists():
            rows.append(all_of_cifar10(Path(temporary), interpreter))
    publish(rows)


if __name__ == "__main__":
    train_from_disk(sys.argv[1]) if len(sys.argv) > 1 else main()

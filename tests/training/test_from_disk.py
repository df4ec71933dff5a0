import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib import delayed

from anomaly_mlflow.data import on_disk
from anomaly_mlflow.data.batches import channel_moments
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.folds import assign_folds, fit_folds, fold_folder
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.side_by_side import side_by_side

FAST = TrainConfig("convnet", epochs=2, batch_size=32)


@pytest.fixture
def both(stripes, monkeypatch):
    """The stripes in memory and on disk, some of them edited after they were on disk."""
    edited = stripes.images.copy()
    edited[5:9] = 77
    memory = type("Memory", (), {"available": 0})
    monkeypatch.setattr(on_disk.psutil, "virtual_memory", lambda: memory)
    images = on_disk.empty_images(120, (8, 8, 1))
    images[:] = stripes.images
    images[5:9] = 77
    assert on_disk.is_on_disk(images)
    return replace(stripes, images=edited), replace(stripes, images=images)


@pytest.mark.parametrize("augmentation", ["none", "crop", "flip"])
def test_a_training_from_disk_is_the_one_from_memory_bit_for_bit(both, augmentation):
    config = replace(FAST, augmentation=augmentation)
    (one, recorded), (other, again) = (fit(samples, config, seed=3, record=True) for samples in both)
    assert np.array_equal(recorded.logits, again.logits)
    for weight, same in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(weight, same)
    assert np.array_equal(infer(one, both[0].images)[0], infer(one, both[1].images)[0])


def test_training_on_rows_is_training_on_the_samples_taken(both):
    rows = np.flatnonzero(np.arange(120) % 3 != 1)
    one, _ = fit(both[0].take(rows), FAST, seed=3)
    other, _ = fit(both[1], FAST, seed=3, rows=rows)
    for weight, same in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(weight, same)


@pytest.mark.parametrize("jobs", [1, 2])
def test_fold_models_from_disk_are_those_from_memory(both, tmp_path, jobs):
    fold = assign_folds(both[0], 2, seed=0)
    for name, samples in zip(("memory", "disk"), both, strict=True):
        fit_folds(samples, fold, np.ones(120, bool), FAST, seed=0, folder=tmp_path / name, jobs=jobs)
    for k in range(2):
        one, two = (
            (fold_folder(tmp_path / name, k) / "weights.safetensors").read_bytes() for name in ("memory", "disk")
        )
        assert one == two


def _what_arrives(images):
    return getattr(images, "filename", None), int(images[5, 0, 0, 0])


def test_another_process_gets_the_file_and_not_a_copy_and_sees_the_edits(both):
    arrived = list(side_by_side([delayed(_what_arrives)(both[1].images)] * 2, 2))
    assert arrived == [(both[1].images.filename, 77)] * 2


def test_rows_that_are_asked_for_are_embedded_alone(both):
    model, _ = fit(both[0], FAST, seed=0)
    wanted = np.arange(120) % 7 == 0
    for samples in both:
        some, every = infer(model, samples.images, rows=wanted), infer(model, samples.images)
        assert len(some[0]) == len(some[1]) == 18
        np.testing.assert_allclose(some[0], every[0][wanted], atol=1e-4)
        np.testing.assert_allclose(some[1], every[1][wanted], atol=1e-4)


def test_the_mean_of_the_channels_is_that_of_their_rows(monkeypatch):
    monkeypatch.setattr(on_disk, "CHUNK", 7 * 60)
    images = np.random.default_rng(0).integers(0, 256, (30, 5, 4, 3), dtype=np.uint8)
    rows = np.array([2, 3, 17, 29])
    mean, deviation = channel_moments(images, rows)
    np.testing.assert_allclose(mean, (images[rows] / 255).mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(deviation, (images[rows] / 255).std(axis=(0, 1, 2)), rtol=1e-12)


def test_the_mean_of_more_pixels_than_a_float32_can_count_is_right():
    # 2**25 white pixels: a running sum in float32 stops at 2**24, and the mean came out as one half.
    mean, deviation = channel_moments(np.full((512, 256, 256, 1), 255, np.uint8), np.arange(512))
    assert mean == [1.0] and deviation == [0.0]


BOUNDED = """
import sys, threading, time
import numpy as np, torch
from anomaly_mlflow.anomalies.inject import inject
from anomaly_mlflow.anomalies.plan import Plan
from anomaly_mlflow.anomalies.similarity import class_tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data import on_disk
from anomaly_mlflow.data.listing import Listing, source
from anomaly_mlflow.data.sources import load
from anomaly_mlflow.models.registry import model
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit

class Free: available = int(sys.argv[2])
on_disk.psutil.virtual_memory = lambda: Free

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

highest = []
def watch():
    while True:
        highest.append(resident())
        time.sleep(0.002)

@source()
def large(spec):
    n = int(sys.argv[1])
    def read(rows):
        return (image + np.uint8(row) for row in rows)
    ids, image = np.arange(n), np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    return Listing("large", ("a", "b"), ids % 2, ids, ids, read, str, str)

@model("mean")
class Mean(torch.nn.Module):
    width = 3
    def __init__(self, *shape):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(3))
    def forward(self, images):
        return images.mean(dim=(2, 3)) * self.scale

def study(samples):
    shares = {AnomalyType.RANDOM_FLIP: 0.1, AnomalyType.OOD: 0.02}
    tables = class_tables(("a", "b"), np.ones((2, 2)))
    noisy, _ = inject(samples, Plan(shares, tables, np.zeros(len(samples), bool)))
    trained, _ = fit(noisy, TrainConfig("mean", epochs=1, batch_size=16, augmentation="flip"), seed=0, record=True)
    infer(trained, noisy.images, batch_size=16)
    return noisy.images

study(load("large", subset=100))  # libraries warm up
before = resident()
threading.Thread(target=watch, daemon=True).start()
images = study(load("large"))
assert on_disk.is_on_disk(images)
print(images.nbytes / 2**20, resident() - before, max(highest) - before)
"""


def _study(rows, free):
    """Size of the set, and by how much resident memory grew, pages of files counted: at the end, and at most (MB)."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", BOUNDED, str(rows), str(free)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    return [float(number) for number in done.stdout.split()]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_stays_bounded_while_a_larger_set_is_loaded_injected_and_trained():
    size, grown, peak = _study(1400, free=50 * 2**20)
    assert size > 260 and max(grown, peak) < 180

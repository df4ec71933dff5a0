import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from anomaly_mlflow.data import on_disk
from anomaly_mlflow.data.augment import AUGMENTATIONS
from anomaly_mlflow.data.feed import Feed
from anomaly_mlflow.data.on_disk import empty_images, file_of, forget, read

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")


@pytest.fixture
def images(monkeypatch):
    """Sixty images on disk."""
    monkeypatch.setattr(on_disk.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 0}))
    made = empty_images(60, (6, 9, 3))
    made[:] = np.random.default_rng(0).integers(0, 256, made.shape, dtype=np.uint8)
    return made


def _batches(rng, n=60):
    return np.array_split(rng.permutation(n), 9)


def _epochs(images, kind):
    rng = np.random.default_rng(5)
    with Feed(images, kind, CPU) as feed:
        drawn = [list(feed.epoch(_batches(rng, len(images)), rng)) for _ in range(2)]
    return drawn, rng.bit_generator.state


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_batches_from_disk_are_those_from_memory_and_leave_the_generator_alike(images, kind):
    (one, state), (other, same) = _epochs(images, kind), _epochs(np.array(images), kind)
    assert state == same
    for epoch, again in zip(one, other, strict=True):
        for (rows, batch), (wanted_rows, wanted) in zip(epoch, again, strict=True):
            assert np.array_equal(rows, wanted_rows) and torch.equal(batch, wanted)


def test_a_part_of_a_file_and_what_joblib_passes_on_are_read_at_their_place(images):
    part = images[7:31]
    rows = np.array([0, 23, 5, 5])
    assert np.array_equal(read(part, rows), np.array(images)[7:31][rows])
    assert file_of(part).offset == 7 * 6 * 9 * 3
    assert file_of(images[::2]) is None and np.array_equal(read(images[::2], rows), images[::2][rows])


def test_what_is_written_is_there_after_it_was_forgotten(images):
    images[3] = 99
    forget(images)
    assert (images[3] == 99).all() and (read(images, np.array([3])) == 99).all()


def test_a_file_that_ends_too_early_is_told(images):
    with pytest.raises(OSError, match="ends before the end of image 60"):
        file_of(images).read(np.array([60]))


def test_a_closed_feed_leaves_no_process_behind_in_the_middle_of_an_epoch(images):
    rng = np.random.default_rng(0)
    with Feed(images, "flip", CPU) as feed:
        next(feed.epoch(_batches(rng), rng))
        reader = psutil.Process(feed._ahead._process.pid)
    assert not reader.is_running()


def test_a_feed_that_is_dropped_ends_its_process(images):
    feed = Feed(images, "flip", CPU)
    reader = psutil.Process(feed._ahead._process.pid)
    del feed
    assert not reader.is_running()


def test_a_reader_that_was_killed_is_told_in_one_line(images):
    rng = np.random.default_rng(0)
    with (
        Feed(images, "flip", CPU) as feed,
        pytest.raises(OSError, match=r"the process that reads .* ended with code -9"),
    ):
        for _ in feed.epoch(_batches(rng), rng):
            feed._ahead._process.kill()


STUCK = """
import os, sys, time
import numpy as np, torch
from anomaly_mlflow.data import on_disk
on_disk.psutil.virtual_memory = lambda: type("Memory", (), {"available": 0})
from anomaly_mlflow.data.feed import Feed
rng = np.random.default_rng(0)
with Feed(on_disk.empty_images(60, (6, 9, 3)), "flip", torch.device("cpu")) as feed:
    for _ in feed.epoch([np.arange(20)] * 50, rng):
        print(feed._ahead._process.pid, flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_reader_ends_with_the_training_whatever_ends_it(number):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STUCK]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Where the tests run in the background of a shell they ignore Ctrl-C, and what they start would inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, **streams, env=environment, start_new_session=True, preexec_fn=heed) as training:
        reader = psutil.Process(int(training.stdout.readline()))
        assert os.getpgid(reader.pid) == reader.pid
        os.killpg(training.pid, number)  # as Ctrl-C does, to the whole group
        told = training.communicate()[1]
    reader.wait(60)
    assert told.count("Traceback") == (number == signal.SIGINT) and "read_ahead" not in told

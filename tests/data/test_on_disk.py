import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from image_files import encoded, picture, png, two_classes, write_parquet

from anomaly_mlflow.anomalies.inject import inject
from anomaly_mlflow.anomalies.plan import Plan
from anomaly_mlflow.anomalies.similarity import class_tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data import on_disk
from anomaly_mlflow.data.encoding import re_encode
from anomaly_mlflow.data.on_disk import empty_images, is_on_disk
from anomaly_mlflow.data.samples import Encoding
from anomaly_mlflow.data.sources import load, load_split
from anomaly_mlflow.errors import BadData


@pytest.fixture
def little_memory(monkeypatch):
    """From the call on there are that many bytes free."""

    def leave(number):
        memory = type("Memory", (), {"available": number})
        monkeypatch.setattr(on_disk.psutil, "virtual_memory", lambda: memory)

    return leave


def test_a_set_above_half_of_the_free_memory_is_on_disk_and_equal(tmp_path, little_memory):
    images = [png(seed) for seed in range(40)]
    images[3] = images[3][:60]  # does not decode
    spec = write_parquet(tmp_path / "a.parquet", images, [0, 1] * 20)
    whole = load(spec)
    little_memory(2 * 40 * 8 * 8 * 3 - 1)
    disk = load(spec)
    assert is_on_disk(disk.images) and not is_on_disk(whole.images)
    for one in ("images", "labels", "sample_id", "groups"):
        assert np.array_equal(getattr(disk, one), getattr(whole, one))
    assert disk.encoding == whole.encoding
    little_memory(2 * 40 * 8 * 8 * 3)
    assert not is_on_disk(load(spec).images)


def test_training_images_that_also_stand_in_the_test_set_are_left_out_on_disk_too(tmp_path, little_memory, caplog):
    images = [encoded(picture(seed // 2), compress_level=9 * (seed % 2)) for seed in range(200)]
    spec = write_parquet(tmp_path / "a.parquet", images, np.arange(200) // 100)
    train, _ = load_split(spec)
    little_memory(0)
    disk, _ = load_split(spec)
    assert "left out" in caplog.text and is_on_disk(disk.images) and np.array_equal(disk.images, train.images)


@pytest.mark.parametrize("rows", [np.array([3, 0, 3]), np.arange(120) % 2 == 0])
def test_rows_are_taken_in_order_whatever_the_size_of_a_chunk(stripes, little_memory, monkeypatch, rows):
    monkeypatch.setattr(on_disk, "CHUNK", 3 * 64)
    little_memory(0)
    disk = on_disk.copied(stripes_on_disk(stripes).images)
    assert is_on_disk(disk) and np.array_equal(on_disk.taken(disk, rows), stripes.images[rows])


def test_a_copy_of_a_set_in_memory_is_on_disk_where_a_second_one_does_not_fit(stripes, little_memory):
    little_memory(120 * 64)
    assert is_on_disk(on_disk.copied(stripes.images)) and not is_on_disk(stripes.take(np.arange(60)).images)


def stripes_on_disk(stripes):
    images = empty_images(*_shape(stripes.images))
    images[:] = stripes.images
    return type(stripes)(images, stripes.labels, stripes.sample_id, stripes.classes, stripes.name)


def _shape(images):
    return len(images), images.shape[1:]


def test_injected_anomalies_are_the_same_and_leave_the_set_as_it_was(stripes, little_memory):
    tables = class_tables(stripes.classes, np.ones((3, 3)))
    plan = Plan({AnomalyType.OOD: 0.2, AnomalyType.RANDOM_FLIP: 0.1}, tables, np.zeros(120, bool), seed=1)
    wanted, ledger = inject(stripes, plan)
    little_memory(0)
    clean = stripes_on_disk(stripes)
    noisy, same = inject(clean, plan)
    assert is_on_disk(noisy.images) and np.array_equal(noisy.images, wanted.images) and ledger.equals(same)
    assert np.array_equal(clean.images, stripes.images) and not np.array_equal(noisy.images, clean.images)


@pytest.mark.parametrize("encoding", [Encoding(17), Encoding(None, (tuple([9] * 64),) * 2, 2)])
def test_strangers_are_encoded_in_chunks_as_all_at_once(little_memory, monkeypatch, encoding):
    images = np.stack([picture(seed) for seed in range(10)])
    wanted = re_encode(images, encoding)
    assert not np.array_equal(wanted, images)
    monkeypatch.setattr(on_disk, "CHUNK", 3 * 192)
    little_memory(0)
    assert is_on_disk(re_encode(images, encoding)) and np.array_equal(re_encode(images, encoding), wanted)


def test_the_file_goes_with_the_last_array_that_shows_it(little_memory):
    little_memory(0)
    images = empty_images(5, (4, 4, 3))
    file, part = Path(images.filename), images[1:3]
    del images
    assert file.exists() and part.sum() == 0
    del part
    assert not file.exists()


def test_a_disk_without_room_is_told_in_one_line_and_leaves_nothing_behind(tmp_path, little_memory, monkeypatch):
    spec = two_classes(tmp_path / "a.parquet")
    little_memory(0)
    folder = Path(on_disk._folder())
    before = set(folder.iterdir())
    monkeypatch.setattr(on_disk.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    with pytest.raises(BadData, match=r"40 images of 8x8 take .* lower image_size or subset, or let TMPDIR") as caught:
        load(spec)
    assert "\n" not in str(caught.value) and set(folder.iterdir()) == before


@pytest.mark.parametrize("end", ["", "; raise KeyboardInterrupt", "; sys.exit(3)"])
def test_the_folder_is_gone_when_the_process_ends(tmp_path, end):
    code = "import sys; from anomaly_mlflow.data import on_disk; on_disk.psutil.virtual_memory = lambda: Free"
    code = f"class Free: available = 0\n{code}\nimages = on_disk.empty_images(9, (4, 4, 3))"
    code = f"{code}; print(images.filename){end}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_with_temporary(tmp_path))
    assert done.stdout.startswith(str(tmp_path)) and not list(tmp_path.iterdir())


def _with_temporary(folder):
    return {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(Path(__file__).resolve().parents[2])}

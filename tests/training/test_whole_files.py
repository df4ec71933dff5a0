"""What is written for a later process is on the disk before it has its name: as in a power cut, by the calls."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.outbox_entries import Entries, Entry
from anomaly_mlflow.training.epoch_files import write_epoch
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.tensors import write_tensors
from anomaly_mlflow.training.whole_files import write_whole
from entry_points.history import History


@pytest.fixture
def calls(monkeypatch):
    """What was written to the disk and what was renamed, in order, by name."""
    seen, fsync, replace = [], os.fsync, Path.replace

    def noted_fsync(opened):
        seen.append(("to disk", Path(os.readlink(f"/proc/self/fd/{opened}")).name))
        fsync(opened)

    def noted_replace(path, target):
        seen.append(("renamed", path.name))
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    return seen


def test_every_file_is_on_the_disk_before_it_has_its_name_and_its_name_after(tmp_path, calls):
    recording = Recording(np.zeros((1, 4, 3), np.float16), np.zeros(4, int), np.arange(4), np.array([0.1]))
    write_tensors(tmp_path / "a" / "x.safetensors", {"x": torch.zeros(2)}, {})
    write_whole(tmp_path / "b" / "x.json", "{}")
    write_epoch(tmp_path, 0, recording)
    Entries(tmp_path / "outbox").add("x", Entry(0, {}, {}, 0))
    names = [("x.part", "a"), ("x.part", "b"), ("part-0.part", "epoch=0000")]
    entry = [("to disk", "x.part"), ("renamed", "x.part")]
    assert calls == [call for part, folder in names for call in _whole(part, folder)] + entry


def test_the_metrics_of_an_epoch_are_written_whole(tmp_path, calls):
    history = object.__new__(History)
    history.folder = tmp_path
    history.note(3, {"loss": 1.0}, None)
    assert calls == _whole("metrics.part", "epoch=0003")
    assert history._metrics(3) == {"loss": 1.0}


DAMAGED = ("", "[]", "[" * 100000, '{"a": "b"}', '{"a": null}', '{"a": 1' + "0" * 400 + "}", "5")


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_metrics_are_named(tmp_path, text):
    history = object.__new__(History)
    history.folder = tmp_path
    history.note(0, {}, None)
    path = tmp_path / "metrics" / "epoch=0000" / "metrics.json"
    assert json.loads(path.read_text()) == {}
    path.write_text(text)
    with pytest.raises(BadData, match=r"epoch=0000/metrics\.json cannot be read"):
        history._metrics(0)


def _whole(part, folder):
    return [("to disk", part), ("renamed", part), ("to disk", folder)]

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ranks_script import DRAWN, EXACT, samples, train

from anomaly_mlflow.data import on_disk
from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.training import ranks, torchrun
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.epoch_files import read_recording
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.rank_part import packed, part_of_rank, unpacked


def run_script(*words):
    """The script under two ranks; ends with the ranks."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(Path(__file__).with_name("ranks_script.py")), *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What two ranks trained: one training died after its second epoch and was taken up by a later process."""
    folder = tmp_path_factory.mktemp("ranks")
    died = run_script(folder, "dies")
    assert died.returncode == 1
    assert "error: " not in died.stderr  # the other rank keeps silent
    assert len(list((folder / "broken" / "recording").iterdir())) == 2
    done = run_script(folder, "whole")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def weights(folder):
    return load_model(folder / "model").state_dict()


def test_two_ranks_follow_the_gradient_of_one(trained, tmp_path):
    train(tmp_path, EXACT, fit)
    alone, together = weights(tmp_path), weights(trained / "exact")
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, atol=1e-5, rtol=0)
    recordings = [read_recording(each / "recording") for each in (tmp_path, trained / "exact")]
    np.testing.assert_allclose(*(recording.logits for recording in recordings), atol=5e-3)
    np.testing.assert_allclose(*(recording.learning_rate for recording in recordings))


@pytest.mark.parametrize("name", ["exact", "whole", "broken", "evaluated"])
def test_each_sample_is_recorded_once_in_each_epoch_of_two_ranks(trained, name):
    recording = read_recording(trained / name / "recording")
    config = EXACT if name == "exact" else DRAWN
    assert recording.logits.shape == (config.epochs, 117, 10)
    assert np.array_equal(recording.sample_id, samples().sample_id)
    assert np.array_equal(recording.labels, samples().labels)


def test_a_training_of_two_ranks_that_died_goes_on_bit_for_bit(trained):
    whole, resumed = weights(trained / "whole"), weights(trained / "broken")
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name
    recordings = [read_recording(trained / name / "recording") for name in ("whole", "broken")]
    assert np.array_equal(*(recording.logits for recording in recordings))


def test_the_parts_of_all_ranks_are_the_batch():
    batch = np.random.default_rng(0).permutation(41)
    parts = [part_of_rank(batch, rank, 3) for rank in range(3)]
    assert np.array_equal(np.concatenate(parts), batch)
    assert sorted(map(len, parts)) == [13, 14, 14]


def test_a_batch_too_small_for_the_ranks_is_refused(monkeypatch, stripes):
    monkeypatch.setattr(torchrun, "_torchrun", {"WORLD_SIZE": "16"})
    with pytest.raises(BadOption, match="raise it"):
        ranks.fit_over_ranks(stripes, DRAWN, seed=0)


def test_without_torchrun_the_command_runs_here():
    assert torchrun.number_of_ranks() == 1
    assert ranks.run_on_ranks(lambda: 3) == 3


def test_a_set_on_disk_goes_to_another_rank_by_the_name_of_its_file(monkeypatch, stripes):
    monkeypatch.setattr(on_disk.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 0}))
    lying = replace(stripes, images=on_disk.copied(stripes.images))
    sent = pickle.dumps(packed(lying))
    assert len(sent) < stripes.images.nbytes
    there = unpacked(pickle.loads(sent))
    assert on_disk.is_on_disk(there.images)
    assert np.array_equal(there.images, stripes.images)
    with pytest.raises(BadData, match="TMPDIR"):
        unpacked(packed(lying) | {"images": ("/nowhere/else.images", stripes.images.shape)})

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ranks_script import DRAWN, EXACT, samples, train

from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.training import ranks
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.epoch_files import read_recording
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.rank_part import part_of_rank


def torchrun(*words):
    """The script under two ranks; ends with the ranks."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(Path(__file__).with_name("ranks_script.py")), *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What two ranks trained: one training died after its second epoch and was taken up by a later process."""
    folder = tmp_path_factory.mktemp("ranks")
    died = torchrun(folder, "dies")
    assert died.returncode == 1
    assert "error: " not in died.stderr  # the other rank keeps silent
    assert len(list((folder / "broken" / "recording").iterdir())) == 2
    done = torchrun(folder, "whole")
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
    monkeypatch.setattr(ranks, "_torchrun", {"WORLD_SIZE": "16"})
    with pytest.raises(BadOption, match="raise it"):
        ranks.fit_over_ranks(stripes, DRAWN, seed=0)


def test_without_torchrun_the_command_runs_here():
    assert ranks.number_of_ranks() == 1
    assert ranks.run_on_ranks(lambda: 3) == 3

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.epoch_files import drop_epochs, read_recording, write_epoch
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.resume import checkpoint_files, last_epoch

CONVNET = TrainConfig("convnet", epochs=5, batch_size=32, learning_rate=0.05, augmentation="flip")
VIT = TrainConfig("vit", epochs=5, batch_size=32, learning_rate=1e-3, optimizer="adamw", augmentation="crop")
MOMENTS = ("before the file", "after the file", "before the checkpoint", "after the checkpoint")


class PulledPlugError(Exception):
    """The process dies here."""


def train(stripes, config, folder, dies_at=None, where="epoch"):
    """Train into a folder as train_noisy does, until the plug is pulled."""
    drop_epochs(folder / "recording", last_epoch(folder / "checkpoint") + 1)

    def pull(here, epoch):
        if (where, dies_at) == (here, epoch):
            raise PulledPlugError

    def sink(epoch, recording):
        pull("before the file", epoch)
        write_epoch(folder / "recording", epoch, recording)
        pull("after the file", epoch)

    model, _ = fit(
        stripes,
        config,
        seed=3,
        device="cpu",
        record=True,
        sink=sink,
        on_epoch=lambda epoch, model, loss: pull("before the checkpoint", epoch),
        on_saved=lambda epoch: pull("after the checkpoint", epoch),
        checkpoint=folder / "checkpoint",
    )
    return model


def assert_same(one, other, folder, other_folder):
    for key, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
    recordings = [read_recording(each / "recording") for each in (folder, other_folder)]
    for name in ("logits", "labels", "sample_id", "learning_rate"):
        assert np.array_equal(*(getattr(recording, name) for recording in recordings)), name


@pytest.mark.parametrize("config", [CONVNET, VIT], ids=["convnet, SGD", "vit, AdamW"])
@pytest.mark.parametrize("epoch", [0, 2, 4])
@pytest.mark.parametrize("where", MOMENTS)
def test_a_training_that_died_goes_on_as_if_nothing_had_happened(stripes, tmp_path, config, epoch, where):
    whole = train(stripes, config, tmp_path / "whole")
    with pytest.raises(PulledPlugError):
        train(stripes, config, tmp_path / "broken", epoch, where)
    torch.manual_seed(99)  # what the next process did before
    resumed = train(stripes, config, tmp_path / "broken")
    assert_same(whole, resumed, tmp_path / "whole", tmp_path / "broken")


def test_a_training_that_dies_in_every_epoch_ends_the_same(stripes, tmp_path):
    whole = train(stripes, CONVNET, tmp_path / "whole")
    for epoch in range(CONVNET.epochs):
        with pytest.raises(PulledPlugError):
            train(stripes, CONVNET, tmp_path / "broken", epoch, "after the checkpoint")
    assert_same(whole, train(stripes, CONVNET, tmp_path / "broken"), tmp_path / "whole", tmp_path / "broken")


def test_a_finished_training_is_not_trained_again(stripes, tmp_path):
    train(stripes, CONVNET, tmp_path)
    again = train(stripes, CONVNET, tmp_path, dies_at=0, where="before the file")
    assert not again.training


def test_the_training_state_of_other_data_settings_or_seed_is_refused(stripes, tmp_path):
    train(stripes, CONVNET, tmp_path)
    others = [
        (stripes, replace(CONVNET, learning_rate=0.01)),
        (replace(stripes, labels=stripes.labels[::-1].copy()), CONVNET),
    ]
    for samples, config in others:
        with pytest.raises(BadData, match="another training"):
            train(samples, config, tmp_path)


def test_a_torn_checkpoint_is_passed_over_for_the_one_before(stripes, tmp_path):
    whole = train(stripes, CONVNET, tmp_path / "whole")
    with pytest.raises(PulledPlugError):
        train(stripes, CONVNET, tmp_path / "broken", 3, "after the checkpoint")
    newest = checkpoint_files(tmp_path / "broken" / "checkpoint")[0]
    newest.write_bytes(newest.read_bytes()[:-100])
    assert last_epoch(tmp_path / "broken" / "checkpoint") == 2
    assert_same(whole, train(stripes, CONVNET, tmp_path / "broken"), tmp_path / "whole", tmp_path / "broken")


def test_a_checkpoint_whose_contents_do_not_fit_ends_in_one_line(stripes, tmp_path):
    with pytest.raises(PulledPlugError):
        train(stripes, CONVNET, tmp_path, 0, "after the checkpoint")
    (path,) = checkpoint_files(tmp_path / "checkpoint")
    with safe_open(path, "pt") as file:
        made_from = json.loads(file.metadata()["state"])["made_from"]
    save_file({"model.x": torch.zeros(1)}, path, {"state": json.dumps({"epoch": 0, "made_from": made_from})})
    with pytest.raises(BadData, match="cannot be read"):
        train(stripes, CONVNET, tmp_path)


def test_the_folder_of_a_training_that_has_not_begun_holds_no_epoch(tmp_path):
    assert last_epoch(tmp_path) == -1

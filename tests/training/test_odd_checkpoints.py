"""A checkpoint that no training wrote is refused by name before anything of it is taken up."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.resume import TrainingState, last_epoch

ODD_TENSORS = {
    "model.weight": torch.full((3, 4), torch.nan),
    "optimizer.0.momentum_buffer": torch.zeros(7, 7),
    "optimizer.99.momentum_buffer": torch.zeros(7, 7),
    "optimizer.0": torch.zeros(7, 7),
}
ODD_GROUPS = ("x", None, [1], True, float("nan"), 10**400)
ODD_NUMPY = (5, {"bit_generator": "PCG64", "state": {"state": 10**60, "inc": 1}, "has_uint32": 0, "uinteger": 0})


def fresh():
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20)
    return model, optimizer, schedule, TrainingState(model, optimizer, schedule, np.random.default_rng(0), "x")


@pytest.fixture
def saved(tmp_path):
    """A good checkpoint: its path, tensors and the rest."""
    model, optimizer, schedule, state = fresh()
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    schedule.step()
    path = state.save(tmp_path, 0)
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return path, tensors, json.loads(file.metadata()["state"])


def refused(path, tensors, rest):
    save_file(tensors, path, {"state": json.dumps(rest)})
    with pytest.raises(BadData, match=r"even\.safetensors cannot be read"):
        fresh()[-1].load(path.parent)


def test_a_good_one_is_taken_up(saved):
    assert fresh()[-1].load(saved[0].parent) == 0


@pytest.mark.parametrize("name", ODD_TENSORS)
def test_tensors_that_are_not_finite_or_of_another_shape_are_refused(saved, name):
    path, tensors, rest = saved
    refused(path, tensors | {name: ODD_TENSORS[name]}, rest)


@pytest.mark.parametrize("rate", ODD_GROUPS, ids=lambda rate: str(rate)[:5])
def test_a_learning_rate_that_is_no_number_is_refused(saved, rate):
    path, tensors, rest = saved
    refused(path, tensors, rest | {"groups": [{**rest["groups"][0], "lr": rate}]})


@pytest.mark.parametrize("odd", [{"numpy": ODD_NUMPY[0]}, {"numpy": ODD_NUMPY[1]}, {"schedule": 5}, {"groups": [5]}])
def test_a_state_of_another_form_is_refused(saved, odd):
    path, tensors, rest = saved
    refused(path, tensors, rest | odd)


@pytest.mark.parametrize(
    "state", ['{"epoch": 1e999}', '{"epoch": -9}', '{"epoch": "7"}', '{"epoch": NaN}', "[" * 10**5]
)
def test_a_file_without_a_proper_epoch_is_no_checkpoint(saved, state):
    path, tensors, _ = saved
    save_file(tensors, path, {"state": state})
    assert last_epoch(path.parent) == -1

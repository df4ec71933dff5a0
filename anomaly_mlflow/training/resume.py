"""The state of a training after each epoch, on disk: what a later process needs to go on as if nothing had happened."""

import json
import math
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from safetensors import SafetensorError, safe_open
from torch.optim.lr_scheduler import LRScheduler

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.tensors import write_tensors

__all__ = ["TrainingState", "checkpoint_files", "last_epoch"]

NAMES = ("even.safetensors", "odd.safetensors")
"""Epochs take turns, so that a whole checkpoint remains whatever happens to the one that is being written or sent."""

UNREADABLE = (
    *(SafetensorError, OSError, LookupError, ValueError, TypeError, AttributeError),
    *(RuntimeError, OverflowError, RecursionError),
)
"""What reading and taking up a damaged checkpoint raises."""


def checkpoint_files(folder: Path) -> list[Path]:
    """The whole checkpoints in a folder, the newest first."""
    found = [(epoch, path) for path in (folder / name for name in NAMES) if (epoch := _epoch_of(path)) is not None]
    return [path for _, path in sorted(found, reverse=True)]


def last_epoch(folder: Path) -> int:
    """The last epoch that is saved in a folder; -1 where none is."""
    files = checkpoint_files(folder)
    return _epoch_of(files[0]) if files else -1


class TrainingState:
    """Everything that changes while a model is trained: weights, optimizer, schedule, random generators.

    made_from: digest of what the training is made from; a checkpoint of another one is refused.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: LRScheduler,
        rng: np.random.Generator,
        made_from: str,
    ):
        self._model, self._optimizer, self._schedule, self._rng = model, optimizer, schedule, rng
        self._made_from = made_from

    def save(self, folder: Path, epoch: int) -> Path:
        """Write the state after an epoch, aside and renamed; safetensors, the rest as JSON in its header."""
        tensors, rest = self._now()
        path = folder / NAMES[epoch % 2]
        rest |= {"epoch": epoch, "made_from": self._made_from}
        write_tensors(path, tensors, {"state": json.dumps(rest, default=float)})
        return path

    def share(self, fabric: Fabric, first_epoch: int) -> int:
        """Give every rank the state of rank 0, and the number of its first epoch."""
        first_epoch, now = fabric.broadcast((first_epoch, self._now()))
        self._take_up(*now)
        return first_epoch

    def _now(self) -> tuple[dict[str, torch.Tensor], dict]:
        optimizer = self._optimizer.state_dict()
        tensors = {f"model.{name}": value for name, value in self._model.state_dict().items()}
        for index, values in optimizer["state"].items():
            tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
        tensors |= {f"random.{name}": state for name, state in _random_states().items()}
        rest = {
            "groups": optimizer["param_groups"],
            "schedule": self._schedule.state_dict(),
            "numpy": self._rng.bit_generator.state,
        }
        return {name: value.detach().cpu() for name, value in tensors.items()}, rest

    def load(self, folder: Path) -> int:
        """Take up the newest whole checkpoint; the epoch after which it was written, -1 where there is none.

        Raises BadData where it belongs to another training or cannot be read.
        """
        for path in checkpoint_files(folder):
            try:
                return self._load(path)
            except UNREADABLE as error:
                reason = (str(error).splitlines() or [repr(error)])[0]
                raise BadData(f"checkpoint {path} cannot be read ({reason}); remove it to start anew") from None
        return -1

    def _load(self, path: Path) -> int:
        with safe_open(path, "pt") as file:
            rest = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if rest["made_from"] != self._made_from:
            other = "another training (data, settings, precision or seed)"
            raise BadData(f"checkpoint {path} is of {other}; resume=none starts anew")
        self._check(tensors, rest)
        self._take_up(tensors, rest)
        return _epoch(rest)

    def _check(self, tensors: dict[str, torch.Tensor], rest: dict) -> None:
        """Raises ValueError where the state would load and then fail, or spoil the training, at its first step."""
        for name, value in tensors.items():
            if value.is_floating_point() and not value.isfinite().all():
                raise ValueError(f"'{name}' is not finite")
        parameters = [one for group in self._optimizer.param_groups for one in group["params"]]
        for name, value in _below("optimizer.", tensors).items():
            index, key = name.split(".", 1)
            if value.shape != (() if key == "step" else parameters[int(index)].shape):
                raise ValueError(f"'optimizer.{name}' has shape {tuple(value.shape)}, not that of its parameter")
        _check_alike(self._optimizer.state_dict()["param_groups"], rest["groups"], "optimizer")
        _check_alike(self._schedule.state_dict(), rest["schedule"], "schedule")

    def _take_up(self, tensors: dict[str, torch.Tensor], rest: dict) -> None:
        self._model.load_state_dict(_below("model.", tensors))
        state: dict[int, dict] = {}
        for name, value in _below("optimizer.", tensors).items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        self._optimizer.load_state_dict({"state": state, "param_groups": rest["groups"]})
        self._schedule.load_state_dict(rest["schedule"])
        self._rng.bit_generator.state = rest["numpy"]
        _set_random_states(_below("random.", tensors))


def _epoch_of(path: Path) -> int | None:
    try:
        with safe_open(path, "pt") as file:
            return _epoch(json.loads(file.metadata()["state"]))
    except UNREADABLE:
        return None


def _epoch(rest: dict) -> int:
    if type(rest["epoch"]) is not int or not 0 <= rest["epoch"] < 10**6:
        raise ValueError("epoch is out of range")
    return rest["epoch"]


def _check_alike(now: object, saved: object, name: str) -> None:
    """Raises ValueError where JSON does not have the form of the present state: names, lengths, types, finite."""
    if isinstance(now, dict) and isinstance(saved, dict) and now.keys() == saved.keys():
        pairs = [(now[key], saved[key], f"{name}.{key}") for key in now]
    elif isinstance(now, (list, tuple)) and isinstance(saved, list) and len(now) == len(saved):
        pairs = [(one, other, name) for one, other in zip(now, saved, strict=True)]
    elif isinstance(now, bool) or not isinstance(now, (int, float)):
        pairs = [] if type(now) is type(saved) and not isinstance(now, (dict, list, tuple)) else None
    else:
        pairs = [] if type(saved) in (int, float) and math.isfinite(saved) else None
    if pairs is None:
        raise ValueError(f"'{name}' has another form")
    for pair in pairs:
        _check_alike(*pair)


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _random_states() -> dict[str, torch.Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states |= {f"cuda.{number}": state for number, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def _set_random_states(states: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    for name, state in states.items():
        if name.startswith("cuda.") and int(name[5:]) < torch.cuda.device_count():
            torch.cuda.set_rng_state(state, int(name[5:]))

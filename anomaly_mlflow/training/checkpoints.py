"""A trained model in a folder: architecture as JSON, weights as safetensors. Nothing is unpickled."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from anomaly_mlflow.errors import AnomalyError, BadData
from anomaly_mlflow.models import Architecture, Classifier, build
from anomaly_mlflow.training.tensors import write_tensors
from anomaly_mlflow.training.whole_files import write_whole

__all__ = ["is_saved", "load_model", "load_snapshots", "read_seen", "save_model", "snapshot_epochs"]

ARCHITECTURE, WEIGHTS = "architecture.json", "weights.safetensors"
SNAPSHOTS = 5


def save_model(model: Classifier, folder: Path, seen: str = "") -> None:
    """Write `architecture.json`, then `weights.safetensors`; seen: digest of the samples it was trained on.

    The weights are written aside and renamed: where they are, the model is whole.
    """
    write_whole(folder / ARCHITECTURE, json.dumps(model.architecture.to_dict(), indent=1))
    write_tensors(folder / WEIGHTS, model.state_dict(), {"seen": seen})


def is_saved(folder: Path, seen: str) -> bool:
    """Whether a model that was trained on these samples lies in the folder."""
    return (folder / WEIGHTS).is_file() and read_seen(folder) == seen


def read_seen(folder: Path) -> str:
    """The digest that `save_model` was given. Raises BadData."""
    try:
        with safe_open(folder / WEIGHTS, "pt") as file:
            return (file.metadata() or {}).get("seen", "")
    except (SafetensorError, OSError) as error:
        raise BadData(f"the model in {folder} cannot be read ({str(error).splitlines()[0]})") from None


def load_model(folder: Path) -> Classifier:
    """Build the model that `save_model` wrote, in evaluation mode. Raises BadData; runs no code of the folder."""
    try:
        architecture = Architecture.from_dict(json.loads((folder / ARCHITECTURE).read_text()))
        weights = load_file(folder / WEIGHTS)
        _check(architecture, weights)
        model = build(architecture)
        model.load_state_dict(weights)
    except FileNotFoundError as error:
        raise BadData(f"{error.filename or folder} is missing: this is no model folder") from None
    except (ValueError, RecursionError, SafetensorError, RuntimeError, OSError) as error:
        reason = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise BadData(f"the model in {folder} cannot be read ({reason})") from None
    return model.eval()


def _check(architecture: Architecture, weights: dict[str, torch.Tensor]) -> None:
    """Compare names, shapes and types before memory is spent on the model. Raises ValueError."""
    wanted = None
    with suppress(AnomalyError), torch.device("meta"):  # a model that cannot be looked at this way is built at once
        wanted = build(architecture).state_dict()
    for name in () if wanted is None else sorted(wanted.keys() ^ weights.keys()):
        raise ValueError(f"'{name}' is {'missing' if name in wanted else 'no weight of this model'}")
    for name, value in (wanted or {}).items():
        if (value.shape, value.dtype) != (weights[name].shape, weights[name].dtype):
            found = f"{weights[name].dtype} {tuple(weights[name].shape)}"
            raise ValueError(f"'{name}' is {found}, should be {value.dtype} {tuple(value.shape)}")


def snapshot_epochs(epochs: int) -> list[int]:
    """Up to five epochs, evenly spaced over a training of `epochs`, the last one among them."""
    return sorted({epochs * part // SNAPSHOTS - 1 for part in range(1, SNAPSHOTS + 1)} - {-1})


def load_snapshots(folder: Path, epochs: int) -> Iterator[Classifier]:
    """The models in `folder/epoch=K` of a training of `epochs`, in order, loaded as asked for. Raises BadData."""
    names = [f"epoch={epoch:04d}" for epoch in snapshot_epochs(epochs)]
    if sorted(path.name for path in folder.glob("epoch=*")) != sorted(names):
        raise BadData(f"{folder} does not hold the snapshots {', '.join(names)}; run train_noisy again")
    return (load_model(folder / name) for name in names)

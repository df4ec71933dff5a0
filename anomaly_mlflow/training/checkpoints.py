"""A trained model in a folder: architecture as JSON, weights as safetensors. Nothing is unpickled."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models import Architecture, Classifier, build

__all__ = ["load_model", "load_snapshots", "read_seen", "save_model", "snapshot_epochs"]

ARCHITECTURE, WEIGHTS = "architecture.json", "weights.safetensors"
SNAPSHOTS = 5


def save_model(model: Classifier, folder: Path, seen: str = "") -> None:
    """Write `architecture.json` and `weights.safetensors`; seen: digest of the samples it was trained on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARCHITECTURE).write_text(json.dumps(model.architecture.to_dict(), indent=1))
    save_file(
        {key: value.cpu().contiguous() for key, value in model.state_dict().items()},
        folder / WEIGHTS,
        metadata={"seen": seen},
    )


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
        model = build(architecture)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        raise BadData(f"{error.filename or folder} is missing: this is no model folder") from None
    except (ValueError, RecursionError, SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadData(f"the model in {folder} cannot be read ({reason})") from None
    return model.eval()


def snapshot_epochs(epochs: int) -> list[int]:
    """Up to five epochs, evenly spaced over a training of `epochs`, the last one among them."""
    return sorted({epochs * part // SNAPSHOTS - 1 for part in range(1, SNAPSHOTS + 1)} - {-1})


def load_snapshots(folder: Path) -> list[Classifier]:
    """The models in `folder/epoch=K`, in the order of their epochs. Raises BadData."""
    folders = sorted(folder.glob("epoch=*"))
    if not folders:
        raise BadData(f"{folder} holds no snapshots; run train_noisy again")
    return [load_model(each) for each in folders]

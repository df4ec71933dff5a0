"""Tensors in a file that is always whole."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from anomaly_mlflow.training.whole_files import put_in_place

__all__ = ["write_tensors"]


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write safetensors aside and rename them; the folder is made. Raises OSError where the disk does not take them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, part, metadata)
    except SafetensorError as error:
        part.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written ({error})") from None
    put_in_place(part, path)

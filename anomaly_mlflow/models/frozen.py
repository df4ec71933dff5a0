"""Embeddings by a trained encoder that learns nothing here."""

import hashlib
from pathlib import Path

import numpy as np
import timm
import torch
from torch.nn.functional import interpolate

from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.models.layers import average_positions
from anomaly_mlflow.models.registry import find
from anomaly_mlflow.models.timm_weights import create_from_file, published_weights

__all__ = ["embed_frozen", "frozen_digest"]

BATCH = 64


@torch.inference_mode()
def embed_frozen(spec: str, images: np.ndarray, device: str | torch.device = "cpu") -> np.ndarray:
    """Embeddings float32 (n, d) of images uint8 (n, height, width, channels), grey or colour.

    spec: `timm:NAME` takes timm's published weights, `timm:NAME@PATH.safetensors` those of a file. Each image is
    resized whole to the model's own input size, and normalised as the model was trained. Raises UnknownName,
    BadOption, BadData.
    """
    name, file = _read(spec)
    net = create_from_file(name, file or published_weights(name)).to(device).eval()
    place = timm.get_pretrained_cfg(name)
    mean, deviation = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (place.mean, place.std))
    mode = place.interpolation if place.interpolation == "bilinear" else "bicubic"
    parts = []
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(images[start : start + BATCH]).to(device).permute(0, 3, 1, 2).float() / 255
        batch = interpolate(batch, place.input_size[1:], mode=mode, antialias=True).clamp(0, 1).expand(-1, 3, -1, -1)
        parts.append(average_positions(net((batch - mean) / deviation).float()).cpu())
    embeddings = torch.cat(parts).numpy()
    if not np.isfinite(embeddings).all():
        raise BadData(f"'{spec}' gives embeddings that are no numbers; name other weights")
    return embeddings


def frozen_digest(spec: str) -> str:
    """sha256, hex, of the weights file of a spec; without a file the spec stands for itself. Raises BadData."""
    _, file = _read(spec)
    if file is None:
        return spec
    try:
        if not file.is_file():
            raise BadData(f"{file} is no file; name a safetensors file")
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise BadData(f"{file} cannot be read ({error.strerror}); name a safetensors file") from None


def _read(spec: str) -> tuple[str, Path | None]:
    """The timm name and the file of a spec."""
    model, at, path = spec.partition("@")
    find(model)
    prefix, _, name = model.partition(":")
    if prefix != "timm" or (at and not path):
        raise BadOption(f"'{spec}' is no frozen encoder; write timm:NAME or timm:NAME@PATH.safetensors")
    try:
        return name, Path(path).expanduser() if at else None
    except RuntimeError as error:  # no such user
        raise BadOption(f"path '{path}': {error}") from None

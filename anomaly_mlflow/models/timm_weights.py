"""Weights for timm's models: safetensors only, from the model hub or from a file."""

from pathlib import Path

import timm
import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
from huggingface_hub.utils import logging
from safetensors import SafetensorError, safe_open
from torch import nn

from anomaly_mlflow.errors import BadData, BadOption

__all__ = ["create_from_file", "first_line", "published_weights"]

FILE = "model.safetensors"
MOST_CLASSES = 100_000


def published_weights(name: str) -> Path:
    """The file of timm's default weights of a model: from the hub's cache, else downloaded. Raises BadOption."""
    repository = timm.get_pretrained_cfg(name).hf_hub_id
    if not repository:
        raise BadOption(f"timm publishes no weights of '{name}'; choose another model or pretrained=no")
    logging.set_verbosity_error()  # no line for each attempt
    try:
        return Path(_from_cache(repository) or hf_hub_download(repository, FILE))
    except LocalEntryNotFoundError:
        reason = "no network"
    except EntryNotFoundError:
        raise BadOption(f"the weights of '{name}' are not published as safetensors; choose another model") from None
    except (HfHubHTTPError, OSError) as error:
        reason = first_line(error)
    raise BadOption(
        f"the weights of 'timm:{name}' are not on this machine and cannot be downloaded ({reason}); connect it, copy "
        f"a filled HF_HOME here, or do without: pretrained=no, or a frozen encoder timm:{name}@PATH.safetensors"
    ) from None


def create_from_file(name: str, file: Path, **arguments: object) -> nn.Module:
    """The timm model without its head, all other weights from a safetensors file.

    The keys are timm's own, or older ones that it knows. arguments: of timm.create_model; the first convolution and
    position embeddings are fitted to them. Raises BadData where the file lacks a weight or has one too many: nothing
    stays random. Raises TypeError on unknown arguments.
    """
    net = timm.create_model(name, num_classes=0, **arguments)
    classes = _classes(name, file)
    source = {"file": str(file), "custom_load": False, "num_classes": classes, "label_offset": 0}
    try:
        # Only with all classes of the file does timm insist on every weight.
        full = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=source, num_classes=classes, **arguments)
        weights = full.state_dict()
        net.load_state_dict({key: weights[key] for key in net.state_dict()})
    except Exception as error:  # timm's own translation of keys raises anything on a strange file
        raise BadData(
            f"{file} does not hold the weights of '{name}' ({first_line(error)}); name another file"
        ) from None
    return net


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its kind where it has none."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]


def _classes(name: str, file: Path) -> int:
    """Rows of the head in the file, 0 where it has none."""
    if file.suffix != ".safetensors":
        raise BadOption(f"{file} is no .safetensors file; no other kind of weights is read")
    if file.exists() and not file.is_file():
        raise BadData(f"{file} is no file; name a safetensors file")
    head = timm.get_pretrained_cfg(name).classifier
    heads = [head] if isinstance(head, str) else head or []
    try:
        with safe_open(file, "pt") as weights:
            keys = set(weights.keys())
            shapes = {
                f"{one}.weight": weights.get_slice(f"{one}.weight").get_shape()
                for one in heads
                if f"{one}.weight" in keys
            }
    except (SafetensorError, OSError, IndexError) as error:
        raise BadData(f"{file} cannot be read ({first_line(error)}); name another file") from None
    for key, shape in shapes.items():  # timm would make a head as large as the file claims
        rows, *columns = shape or [0]
        if not 1 <= rows <= MOST_CLASSES or columns != _columns(name, key, columns):
            raise BadData(f"{file} does not hold the weights of '{name}' (a head of {shape}); name another file")
    return next(iter(shapes.values()))[0] if shapes else 0


def _columns(name: str, key: str, default: list[int]) -> list[int]:
    """Shape of a row of the model's own head, the default where it cannot be looked at."""
    try:
        with torch.device("meta"):  # shapes alone, no memory
            return list(timm.create_model(name, num_classes=2).state_dict()[key].shape[1:])
    except Exception:  # some models compute with their weights as they are made; others name their heads otherwise
        return default


def _from_cache(repository: str) -> str | None:
    try:
        return hf_hub_download(repository, FILE, local_files_only=True)
    except LocalEntryNotFoundError:
        return None

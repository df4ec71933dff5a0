"""Which device and which precision a training uses."""

import torch
from lightning_fabric import Fabric

from anomaly_mlflow.errors import BadOption

__all__ = ["choose_precision", "has_bfloat16", "on_gpu"]


def on_gpu(device: str) -> bool:
    """Whether Fabric would train on something other than a CPU. Raises BadOption on a device that is not here."""
    try:
        return Fabric(accelerator=device, devices=1).device.type != "cpu"
    except (ValueError, RuntimeError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadOption(f"device '{device}' cannot be used here ({reason}); try auto or cpu") from None


def choose_precision(precision: str, device: str, image_shape: tuple[int, int, int]) -> str:
    """`auto` is bfloat16 where the hardware has it and the images are large enough (16 pixels) for it to pay."""
    if precision != "auto":
        return precision
    return "bf16-mixed" if has_bfloat16(device) and min(image_shape[:2]) >= 16 else "32-true"


def has_bfloat16(device: str) -> bool:
    """Whether the device computes in bfloat16 in hardware (a CPU: with AMX)."""
    return torch.cuda.is_bf16_supported() if on_gpu(device) else torch.cpu._is_amx_tile_supported()

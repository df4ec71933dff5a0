"""Which device and which precision a training uses."""

from collections.abc import Callable

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


def choose_precision(
    precision: str, device: str, image_shape: tuple[int, int, int], pays_on_cpu: Callable[[tuple], bool]
) -> str:
    """`auto` is bfloat16 where the hardware has it and it pays: from 16 pixels, on a CPU if the model says so."""
    if precision != "auto":
        return precision
    pays = min(image_shape[:2]) >= 16 and has_bfloat16(device) and (on_gpu(device) or pays_on_cpu(image_shape))
    return "bf16-mixed" if pays else "32-true"


def has_bfloat16(device: str) -> bool:
    """Whether the device computes in bfloat16 in hardware (a CPU: with AMX or AVX512-BF16)."""
    if on_gpu(device):
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()

"""On what the figures were made."""

import platform
from importlib.metadata import version

import joblib
import psutil
import torch

__all__ = ["environment"]

PACKAGES = ("anomaly-mlflow", "mlflow", "torch", "timm", "scikit-learn", "shap", "numpy")


def environment() -> dict[str, str]:
    """Hardware and versions, for people."""
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": f"{joblib.cpu_count()} cores, {platform.machine()}, {memory:.0f} GiB memory",
        "accelerator": accelerator,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:  # run from a checkout that is not installed
        return "from source"

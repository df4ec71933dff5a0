"""Results of long trainings, kept on disk until the whole is done."""

import zipfile
from pathlib import Path

import numpy as np

from anomaly_mlflow.training.whole_files import put_in_place

__all__ = ["keep", "kept"]

NAME = "result.npz"


def keep(folder: Path, **arrays: np.ndarray) -> None:
    """Write arrays into a folder, aside and renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"part-{NAME}"
    np.savez(part, **arrays)
    put_in_place(part, folder / NAME)


def kept(folder: Path) -> dict[str, np.ndarray] | None:
    """What `keep` wrote; None where there is nothing whole. Never unpickles."""
    try:
        with np.load(folder / NAME, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None

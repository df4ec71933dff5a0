"""What one rank does of a training that several ranks share."""

import numpy as np
import torch
from torch import distributed

from anomaly_mlflow.data.on_disk import is_on_disk
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData

__all__ = ["draws_of_rank", "gathered", "packed", "part_of_rank", "unpacked"]


def part_of_rank(batch: np.ndarray, rank: int, ranks: int) -> np.ndarray:
    """The consecutive rows of a batch that a rank takes; the sizes differ by one at most."""
    return np.array_split(batch, ranks)[rank]


def draws_of_rank(rank: int, seed: int, epoch: int) -> np.random.Generator:
    """Augmentation and dropout of a rank: its own, and the same again where the epoch is trained again."""
    draws = np.random.default_rng([seed, epoch, rank])
    torch.manual_seed(int(draws.integers(2**63)))
    return draws


def gathered(arrays: list[np.ndarray]) -> list[np.ndarray] | None:
    """The rows of all ranks, one rank after the other, on rank 0; None on the others. All ranks have to call this."""
    parts = None if distributed.get_rank() else [None] * distributed.get_world_size()
    distributed.gather_object(arrays, parts)
    return parts and [np.concatenate(part) for part in zip(*parts, strict=True)]


def packed(samples: Samples) -> dict:
    """The samples for another rank: a set on disk by the name of its file."""
    fields = dict(vars(samples))
    if is_on_disk(samples.images):
        fields["images"] = (samples.images.filename, samples.images.shape)
    return fields


def unpacked(fields: dict) -> Samples:
    """What `packed` made. Raises BadData where the file cannot be read here."""
    if isinstance(fields["images"], tuple):
        name, shape = fields["images"]
        try:
            fields["images"] = np.memmap(name, np.uint8, "r+", shape=shape)
        except OSError:
            raise BadData(f"{name} cannot be read here; let TMPDIR name a folder that all ranks share") from None
    return Samples(**fields)

"""What one rank does of a training that several ranks share."""

import numpy as np
import torch
from torch import distributed

__all__ = ["draws_of_rank", "gathered", "part_of_rank"]


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

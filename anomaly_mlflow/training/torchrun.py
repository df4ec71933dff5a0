"""What torchrun tells its processes, kept apart from the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from torch.distributed import PrefixStore, Store, TCPStore, is_torchelastic_launched

__all__ = ["WAIT", "connected", "in_torchrun", "leave_torchrun", "number_of_ranks", "own_rank", "ranks_here"]

NAMES = ("RANK", "WORLD_SIZE", "MASTER_", "LOCAL_", "GROUP_", "ROLE_", "TORCHELASTIC_")
"""What the environment variables of torchrun begin with."""

WAIT = timedelta(days=20)
"""Rank 0 may take long between two trainings and two epochs; as milliseconds it has to fit into 32 bits."""

_torchrun: dict[str, str] = {}


def leave_torchrun() -> None:
    """Take its variables out of the environment, so that no process of this one takes itself for a rank."""
    if is_torchelastic_launched():
        _torchrun.update({name: os.environ.pop(name) for name in list(os.environ) if name.startswith(NAMES)})


def number_of_ranks() -> int:
    """How many ranks train together; 1 without torchrun."""
    return int(_torchrun.get("WORLD_SIZE", 1))


def own_rank() -> int:
    """The number of this rank among all."""
    return int(_torchrun["RANK"])


def ranks_here() -> int:
    """How many of the ranks are on this machine."""
    return int(_torchrun["LOCAL_WORLD_SIZE"])


def connected() -> Store:
    """What torchrun keeps for its ranks: a connection that waits without computing."""
    host, port = _torchrun["MASTER_ADDR"], int(_torchrun["MASTER_PORT"])
    prefix = f"anomaly-mlflow/{_torchrun.get('TORCHELASTIC_RESTART_COUNT', 0)}"
    store = PrefixStore(prefix, TCPStore(host, port, is_master=False))
    store.set_timeout(WAIT)
    return store


@contextmanager
def in_torchrun() -> Iterator[None]:
    """With the variables of torchrun back in the environment, where torch and Lightning Fabric look for them."""
    os.environ.update(_torchrun)
    try:
        yield
    finally:
        for name in _torchrun:
            os.environ.pop(name, None)

"""Trainings over the processes that torchrun started: rank 0 runs the command, the others help it train."""

import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Thread

import numpy as np
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch.distributed import PrefixStore, Store, TCPStore, is_torchelastic_launched

from anomaly_mlflow.data.on_disk import is_on_disk
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import AnomalyError, BadData, BadOption
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.recording import Recording

__all__ = ["fit_over_ranks", "number_of_ranks", "run_on_ranks"]

NAMES = ("RANK", "WORLD_SIZE", "MASTER_", "LOCAL_", "GROUP_", "ROLE_", "TORCHELASTIC_")
"""What the environment variables of torchrun begin with."""

WAIT = timedelta(days=20)
"""Rank 0 may take long between two trainings and two epochs; as milliseconds it has to fit into 32 bits."""

GRACE = 10
"""Seconds in which torchrun or rank 0 end the others, when one of them is gone."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_torchrun: dict[str, str] = {}
_trainings = itertools.count()


def number_of_ranks() -> int:
    """How many ranks train together; 1 without torchrun."""
    return int(_torchrun.get("WORLD_SIZE", 1))


def run_on_ranks(command: Callable[[], int]) -> int:
    """Run a command on rank 0 alone, while the others wait for its trainings; all end with its exit code.

    The variables of torchrun leave the environment, so that no process of this one takes itself for a rank.
    """
    if is_torchelastic_launched():
        _torchrun.update({name: os.environ.pop(name) for name in list(os.environ) if name.startswith(NAMES)})
    if number_of_ranks() == 1:
        return command()
    if int(_torchrun["RANK"]):
        return _follow()
    store, code = _store(), 1
    try:
        code = command()
    finally:
        for each in SIGNALS:  # what torchrun sends when another rank ends before this one comes too late
            signal.signal(each, signal.SIG_IGN)
        with suppress(RuntimeError):  # where torchrun is gone, so are the others
            store.set("exit code", str(code))
    return code


def fit_over_ranks(
    samples: Samples,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "auto",
    record: bool = False,
    evaluate: bool = False,
    **at_rank_0: object,
) -> tuple[Classifier, Recording | None]:
    """`fit`, over all ranks: called on rank 0, which alone has a sink, a checkpoint and callbacks (`at_rank_0`).

    Each rank takes its part of every batch. Batch normalisation sees this part alone. A set on disk stays there: its
    folder ($TMPDIR) has to be one that all machines share. Raises what `fit` raises, BadOption.
    """
    job = {"config": config, "seed": seed, "record": record, "evaluate": evaluate}
    if number_of_ranks() == 1:
        return fit(samples, device=device, **job, **at_rank_0)
    if config.batch_size < 4 * number_of_ranks():
        raise BadOption(
            f"batch_size={config.batch_size} leaves a rank fewer than 4 images; raise it, or take less ranks"
        )
    with _in_torchrun():
        fabric = _fabric(device, config.precision)
        _store().set(f"training {next(_trainings)}", json.dumps([device, config.precision]))
        fabric.launch()
        fabric.broadcast((_packed(samples), job | {"record": record and not evaluate}))
        try:
            return fit(samples, fabric=fabric, **job, **at_rank_0)
        except RuntimeError:
            time.sleep(GRACE)  # where another rank is lost, torchrun ends all, and says which: that is the reason
            raise


def _follow() -> int:
    Thread(target=_leave_with_rank_0, args=[_store()], daemon=True).start()
    store = _store()
    while True:
        _help(*json.loads(store.get(f"training {next(_trainings)}")))


def _leave_with_rank_0(store: Store) -> None:
    try:
        code = int(store.get("exit code"))
    except Exception:  # torchrun is gone, and this thread is the one to notice
        os._exit(1)
    if code:
        time.sleep(GRACE)  # torchrun shall see rank 0 fail, and then ends this one
    os._exit(code)  # nothing is open here, and the main thread may wait for rank 0


def _help(device: str, precision: str) -> None:
    """Take part in one training. Rank 0 heeds the signals, and this one leaves when rank 0 does."""
    with _signals_ignored(), _in_torchrun():
        try:
            fabric = _fabric(device, precision)
            fabric.launch()
            fields, job = fabric.broadcast(None)
            samples = _unpacked(fields)
            with suppress(AnomalyError):  # rank 0 meets the same, and says it
                fit(samples, fabric=fabric, **job)
        except Exception as error:
            reason = error
        else:
            return
    time.sleep(GRACE)
    sys.exit(f"error: rank {_torchrun['RANK']}: {' '.join(str(reason).split())[:2000]}")


def _fabric(device: str, precision: str) -> Fabric:
    here = int(_torchrun["LOCAL_WORLD_SIZE"])
    nodes = number_of_ranks() // here
    try:
        strategy = DDPStrategy(timeout=WAIT)
        return Fabric(accelerator=device, strategy=strategy, devices=here, num_nodes=nodes, precision=precision)
    except (ValueError, RuntimeError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadOption(f"device '{device}' cannot be used by {here} ranks here ({reason}); take less ranks") from None


def _packed(samples: Samples) -> dict:
    fields = dict(vars(samples))
    if is_on_disk(samples.images):
        fields["images"] = (samples.images.filename, samples.images.shape)
    return fields


def _unpacked(fields: dict) -> Samples:
    if isinstance(fields["images"], tuple):
        name, shape = fields["images"]
        try:
            fields["images"] = np.memmap(name, np.uint8, "r+", shape=shape)
        except OSError:
            raise BadData(f"{name} cannot be read here; let TMPDIR name a folder that all ranks share") from None
    return Samples(**fields)


def _store() -> Store:
    """What torchrun keeps for its ranks: a connection that waits without computing."""
    host, port = _torchrun["MASTER_ADDR"], int(_torchrun["MASTER_PORT"])
    prefix = f"anomaly-mlflow/{_torchrun.get('TORCHELASTIC_RESTART_COUNT', 0)}"
    store = PrefixStore(prefix, TCPStore(host, port, is_master=False))
    store.set_timeout(WAIT)
    return store


@contextmanager
def _in_torchrun() -> Iterator[None]:
    os.environ.update(_torchrun)
    try:
        yield
    finally:
        for name in _torchrun:
            os.environ.pop(name, None)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    before = [signal.signal(each, signal.SIG_IGN) for each in SIGNALS]
    try:
        yield
    finally:
        for each, handler in zip(SIGNALS, before, strict=True):
            signal.signal(each, handler)

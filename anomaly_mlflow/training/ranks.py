"""Trainings over the processes that torchrun started: rank 0 runs the command, the others help it train."""

import itertools
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch.distributed import Store

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import AnomalyError, BadOption
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.loop import fit
from anomaly_mlflow.training.rank_part import packed, unpacked
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.torchrun import (
    WAIT,
    connected,
    in_torchrun,
    leave_torchrun,
    number_of_ranks,
    own_rank,
    ranks_here,
)

__all__ = ["fit_over_ranks", "run_on_ranks"]

GRACE = 10
"""Seconds in which torchrun or rank 0 end the others, when one of them is gone."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_trainings = itertools.count()


def run_on_ranks(command: Callable[[], int]) -> int:
    """Run a command on rank 0 alone, while the others wait for its trainings; all end with its exit code.

    The variables of torchrun leave the environment, so that no process of this one takes itself for a rank.
    """
    leave_torchrun()
    if number_of_ranks() == 1:
        return command()
    if own_rank():
        return _follow()
    store, code = connected(), 1
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
    with in_torchrun():
        fabric = _fabric(device, config.precision)
        connected().set(f"training {next(_trainings)}", json.dumps([device, config.precision]))
        fabric.launch()
        fabric.broadcast((packed(samples), job | {"record": record and not evaluate}))
        try:
            return fit(samples, fabric=fabric, **job, **at_rank_0)
        except RuntimeError:
            time.sleep(GRACE)  # where another rank is lost, torchrun ends all, and says which: that is the reason
            raise


def _follow() -> int:
    Thread(target=_leave_with_rank_0, args=[connected()], daemon=True).start()
    store = connected()
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
    with _signals_ignored(), in_torchrun():
        try:
            fabric = _fabric(device, precision)
            fabric.launch()
            fields, job = fabric.broadcast(None)
            samples = unpacked(fields)
            with suppress(AnomalyError):  # rank 0 meets the same, and says it
                fit(samples, fabric=fabric, **job)
        except Exception as error:
            reason = error
        else:
            return
    time.sleep(GRACE)
    logging.getLogger(__name__).error("rank %d: %s", own_rank(), " ".join(str(reason).split())[:2000])
    sys.exit(1)


def _fabric(device: str, precision: str) -> Fabric:
    here = ranks_here()
    nodes = number_of_ranks() // here
    try:
        strategy = DDPStrategy(timeout=WAIT)
        return Fabric(accelerator=device, strategy=strategy, devices=here, num_nodes=nodes, precision=precision)
    except (ValueError, RuntimeError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadOption(f"device '{device}' cannot be used by {here} ranks here ({reason}); take less ranks") from None


@contextmanager
def _signals_ignored() -> Iterator[None]:
    before = [signal.signal(each, signal.SIG_IGN) for each in SIGNALS]
    try:
        yield
    finally:
        for each, handler in zip(SIGNALS, before, strict=True):
            signal.signal(each, handler)

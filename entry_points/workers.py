"""Where the work of a command is carried out: here, or by the workers of a Ray cluster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anomaly_mlflow.tracking.passed_on import passed_on
from anomaly_mlflow.tracking.server import has_server
from anomaly_mlflow.training.device import on_gpu
from anomaly_mlflow.training.ray_cluster import ray_workers
from anomaly_mlflow.training.side_by_side import elsewhere
from entry_points.jobs import cluster, jobs_of
from entry_points.work_folder import state_folder

__all__ = ["workers_of"]

ROOT = Path(__file__).resolve().parent.parent
OWN = ("ANOMALY_DOWNLOADS", "ANOMALY_LEASE", "ANOMALY_PATIENCE")


@contextmanager
def workers_of(options: dict) -> Iterator[None]:
    """Within it work goes side by side where the option `backend` says; without that option, here.

    Raises BadOption and ServerUnavailable as `ray_workers` and `passed_on` do.
    """
    if options.get("backend") != "ray":
        yield
        return
    state = state_folder().absolute()
    own = {name: os.environ[name] for name in OWN if name in os.environ}
    with (
        ray_workers(
            max(jobs_of(options), options.get("workers", 1)),
            shared=state,
            address=cluster(),
            variables={**passed_on(), **own, "ANOMALY_STATE": str(state)},
            code=[ROOT / "anomaly_mlflow", ROOT / "entry_points"],
            gpus=int(on_gpu(options["device"])) if "device" in options else 0,
            one_machine=not has_server(),
        ) as workers,
        elsewhere(workers),
    ):
        yield

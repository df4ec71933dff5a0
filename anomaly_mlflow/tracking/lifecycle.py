"""From the start of a run to its end, whatever ends it."""

import atexit
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import current_thread, main_thread

import mlflow
from alembic.util.exc import CommandError
from sqlalchemy.exc import OperationalError

from anomaly_mlflow.errors import AnomalyError, ServerUnavailable
from anomaly_mlflow.tracking import current
from anomaly_mlflow.tracking.attempts import leaving_server, met_server
from anomaly_mlflow.tracking.lease import Lease, owner_tags
from anomaly_mlflow.tracking.owner import USER, this_user
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client
from anomaly_mlflow.tracking.waiting_run import dismiss_waiting_run

__all__ = ["Terminated", "fail_waiting_run", "find_finished", "set_up_database", "start", "upstream_of"]


# It would say FINISHED of a run whose end was interrupted; without it the run stays RUNNING, and is taken up.
atexit.unregister(mlflow.tracking.fluent._safe_end_run)


class Terminated(BaseException):
    """SIGTERM arrived."""


@contextmanager
def start(
    step: str,
    tags: dict[str, str],
    *,
    parent: Run | None = None,
    system_metrics: bool = False,
    take_up: Lease | None = None,
) -> Iterator[Run]:
    """Open a run for a step; join the one that `mlflow run` opened, if it did; close it in every case.

    It ends FINISHED, KILLED (Ctrl-C, SIGTERM) or FAILED with the reason in the tag `anomaly.error`; children
    still running are closed with it. take_up: continue this run instead. The process holds a lease on the run while
    it is open, and ends at once where another one has taken the run over.
    """
    with clear_errors():
        set_up_database()
        if take_up:
            dismiss_waiting_run(take_up.run_id)
        # With its first breath, so that no run is left that does not say whose it is.
        whose = take_up.tags if take_up else {USER: this_user(), **owner_tags()}
        born = {"mlflow.runName": step, **tags, "anomaly.step": step, **whose}
        active = mlflow.start_run(
            run_id=take_up.run_id if take_up else None,
            nested=parent is not None,
            parent_run_id=parent.id if parent else None,
            experiment_id=parent.experiment_id if parent else None,
            log_system_metrics=system_metrics,
            tags=born | ({"mlflow.parentRunId": parent.id} if parent else {}),
        )
        run = Run(active.info.run_id, resumed=take_up is not None)
        current.begin(step, run.id, parent.id if parent else None)
        lease = take_up or Lease(run.id)
        lease.keep()
    status = "FAILED"
    try:
        with clear_errors():
            if run.resumed:
                run.untag("anomaly.error")
            yield run
        status = "FINISHED"
        current.end(run.id)
    except (KeyboardInterrupt, Terminated):
        status = "KILLED"
        leaving_server()
        raise
    except Exception as error:
        if isinstance(error, ServerUnavailable):
            leaving_server()  # it was waited for long enough
        with suppress(AnomalyError), clear_errors():
            run.tag("anomaly.error", (str(error) if isinstance(error, AnomalyError) else repr(error))[:500])
        raise
    finally:
        with _signals_ignored():  # a second Ctrl-C would leave the run half closed
            lease.release()
            # Where the server is gone these fail too, and the error that is already on its way says so.
            with suppress(AnomalyError) if status != "FINISHED" else nullcontext(), clear_errors():
                if status != "FINISHED":
                    _close_children(run)
                mlflow.end_run(status)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def fail_waiting_run() -> None:
    """Mark the run that `mlflow run` opened for this process as failed, where the step could not even start."""
    run_id = os.environ.get("MLFLOW_RUN_ID")
    if run_id:
        with clear_errors():
            client().set_terminated(run_id, "FAILED")


def find_finished(step: str, fingerprint: str, experiment: str) -> str | None:
    """Id of the newest finished run of a step with this fingerprint in an experiment.

    In no other one: tags say what a run is, and whoever may write there could have made them up.
    """
    wanted = f"tags.`anomaly.fingerprint` = '{fingerprint}' and tags.`anomaly.step` = '{step}'"
    with clear_errors():
        runs = client().search_runs(
            [experiment],
            f"{wanted} and attributes.status = 'FINISHED'",
            max_results=1,
            order_by=["attributes.start_time DESC"],
        )
    return runs[0].info.run_id if runs else None


def upstream_of(run: Run) -> dict[str, list[str]]:
    """The runs that a run was made from, directly or not: step name to run ids."""
    return run.json("upstream.json")


def set_up_database() -> None:
    """Make the first contact; where another process is just creating the database, wait for it once.

    Raises ServerUnavailable where the database file cannot be written, which MLflow would retry for minutes.
    """
    address, _, path = mlflow.get_tracking_uri().partition(":///")
    file = Path(path)
    if address == "sqlite" and not os.access(file if file.is_file() else file.parent, os.W_OK):
        raise ServerUnavailable(f"the tracking database {file} cannot be written; check its folder's permissions")
    if address == "sqlite" and file.exists() and not file.is_file():
        raise ServerUnavailable(f"the tracking database {file} is no file; move it away or set MLFLOW_TRACKING_URI")
    with clear_errors():
        try:
            client().search_experiments(max_results=1)
        except (CommandError, OperationalError):
            time.sleep(5)
    met_server()


def _close_children(run: Run) -> None:
    running = f"tags.`mlflow.parentRunId` = '{run.id}' and attributes.status = 'RUNNING'"
    for child in client().search_runs([run.experiment_id], running):
        client().set_terminated(child.info.run_id, "KILLED")

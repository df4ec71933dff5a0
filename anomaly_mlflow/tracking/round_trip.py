"""Whether what is written comes back: a run and an artifact, written, read, deleted.

A tracking server deletes nothing for good; `mlflow gc` beside its database does. So what is needed for the trip is left
deleted and taken up by the next one: a run a user and experiment, without artifacts, however often it is made.
"""

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from mlflow.entities import Run as Record
from mlflow.entities import ViewType
from mlflow.environment_variables import MLFLOW_EXPERIMENT_NAME
from mlflow.exceptions import MlflowException

from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.tracking.experiments import experiment_id, named_experiment
from anomaly_mlflow.tracking.owner import USER, this_user
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client

__all__ = ["artifact_folder", "artifacts", "write"]

STEP = "doctor"
KEPT = "doctor.kept"
"""Tag of a run that its user could not delete: the next trip takes it up as it would a deleted one."""
SIZE = 100_000


def write() -> str:
    """Write a tag of a run where steps would write, and read it back."""
    token = uuid.uuid4().hex
    with clear_errors(), _run() as run:
        run.tag("doctor.token", token)
        if run.tags.get("doctor.token") != token:
            raise AnomalyError("what was written does not come back; is a read replica behind?")
        name = client().get_experiment(run.experiment_id).name
        return f"a run in experiment '{name}' was written, read and deleted"


def artifacts() -> str:
    """Write an artifact, list it, read it back by its checksum, delete it."""
    folder = f"doctor-{uuid.uuid4().hex}"
    with clear_errors(), _run() as run:
        try:
            _write_and_read(run, folder)
        except BaseException:
            with suppress(Exception):  # what went wrong first is what is to be mended
                run.remove(folder)
            raise
        run.remove(folder)
        if _listed(run, folder):
            raise AnomalyError("artifacts cannot be deleted; a finished training could not drop its checkpoint")
    return f"{SIZE // 1000} kB were written, listed, read back by checksum and deleted"


def artifact_folder() -> Path | None:
    """Where new artifacts lie, if that is a folder of this machine."""
    with clear_errors():
        experiment = named_experiment()
    place = urlparse(experiment.artifact_location) if experiment else None
    return Path(url2pathname(place.path)) if place and place.scheme in ("", "file") else None


def _write_and_read(run: Run, folder: str) -> None:
    data = os.urandom(SIZE)
    with tempfile.TemporaryDirectory() as place:
        file, back = Path(place, "probe.bin"), Path(place, "back")
        back.mkdir()
        file.write_bytes(data)
        client().log_artifact(run.id, str(file), folder)
        if f"{folder}/{file.name}" not in _listed(run, folder):
            raise AnomalyError("an artifact was taken, but is not listed; look at the server's artifact store")
        found = Path(client().download_artifacts(run.id, f"{folder}/{file.name}", str(back))).read_bytes()
    if hashlib.sha256(found).digest() != hashlib.sha256(data).digest():
        raise AnomalyError("an artifact comes back changed; look at the server's artifact store and its disk")


def _listed(run: Run, folder: str) -> list[str]:
    return [entry.path for entry in client().list_artifacts(run.id, folder)]


@contextmanager
def _run() -> Iterator[Run]:
    """A run that was and will be deleted."""
    with _experiment() as experiment:
        found = client().search_runs([experiment], f"tags.`anomaly.step` = '{STEP}'", ViewType.ALL)
        mine = [run for run in found if run.data.tags.get(USER, "") == this_user() and _is_at_rest(run)]
        if mine and mine[0].info.lifecycle_stage == "deleted":
            client().restore_run(mine[0].info.run_id)
        run = Run(mine[0].info.run_id if mine else _made(experiment))
        try:
            yield run
        finally:
            _delete(run)


def _is_at_rest(run: Record) -> bool:
    return run.info.lifecycle_stage == "deleted" or KEPT in run.data.tags


def _made(experiment: str) -> str:
    tags = {"anomaly.step": STEP, USER: this_user()}
    try:
        run_id = client().create_run(experiment, tags=tags, run_name=STEP).info.run_id
    except MlflowException as error:
        if error.get_http_status_code() != 403:
            raise
        raise _may_not("write", experiment) from None
    client().set_terminated(run_id, "FINISHED")  # now, so that no death of this process leaves it RUNNING
    return run_id


def _delete(run: Run) -> None:
    try:
        client().delete_run(run.id)
    except MlflowException as error:
        if error.get_http_status_code() != 403:
            raise
        run.tag(KEPT, "yes")
        raise _may_not("delete", run.experiment_id) from None


def _may_not(act: str, experiment: str) -> AnomalyError:
    name = client().get_experiment(experiment).name
    return AnomalyError(
        f"{this_user()} may not {act} in experiment '{name}': ask its owner for the permission MANAGE, or set "
        f"{MLFLOW_EXPERIMENT_NAME.name} to another one"
    )


@contextmanager
def _experiment() -> Iterator[str]:
    """Where the environment has steps write; where that is not made yet, one that was and will be deleted."""
    found = named_experiment()
    if found and found.lifecycle_stage == "deleted":
        raise AnomalyError(
            f"experiment '{found.name}' was deleted: `mlflow experiments restore -x {found.experiment_id}`, "
            f"or set {MLFLOW_EXPERIMENT_NAME.name} to another one"
        )
    if found:
        yield found.experiment_id
        return
    own = f"{STEP} of {this_user()}"
    found = client().get_experiment_by_name(own)
    if found and found.lifecycle_stage == "deleted":
        client().restore_experiment(found.experiment_id)
    number = experiment_id(own)
    try:
        yield number
    finally:
        client().delete_experiment(number)

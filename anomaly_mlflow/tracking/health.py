"""Whether the tracking store can be used: each check gives back what it saw, or raises AnomalyError with what to do."""

import os
import re
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import mlflow
import requests
import sqlalchemy
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from anomaly_mlflow.errors import AnomalyError, ServerUnavailable
from anomaly_mlflow.tracking.server import clear_errors, client, first_line, server_address

__all__ = ["clock", "database", "has_database", "login", "server", "version"]

SKEW = 5.0
"""Seconds by which two clocks may differ: heartbeats of other machines count as overdue after a minute."""


def server() -> str:
    """Whether a tracking server answers."""
    before = time.monotonic()
    answer = _get("/health")
    if answer.status_code != 200:
        told = f"answers {answer.status_code} to GET /health"
        raise AnomalyError(f"{server_address()} {told}: it is no MLflow server, or a proxy finds none behind it")
    return f"{server_address()} answers in {1000 * (time.monotonic() - before):.0f} ms"


def login() -> str:
    """Whether the server lets this user in."""
    answer = _get("/api/2.0/mlflow/experiments/search?max_results=1")
    if answer.status_code == 403 and "Host header" in answer.text:
        raise AnomalyError(f"{server_address()} refuses its own name: add it to --allowed-hosts of mlflow server")
    with clear_errors():
        client().search_experiments(max_results=1)
    creds = get_default_host_creds(mlflow.get_tracking_uri())
    return f"as {creds.username}" if creds.username else "with a token" if creds.token else "none is needed"


def version() -> str:
    """Whether client and server are of one version, up to the last digit."""
    found, here = _get("/version").text.strip(), mlflow.__version__
    if not re.fullmatch(r"\d+(\.\w+){1,4}", found):
        raise AnomalyError(f"{server_address()} does not tell a version of MLflow; is it an MLflow server?")
    if found.split(".")[:2] != here.split(".")[:2]:
        raise AnomalyError(f"the server has mlflow {found}, this client {here}: pip install mlflow=={found}")
    return f"mlflow {found} on the server, {here} here; the server has checked its database when it started"


def clock() -> str:
    """Whether the server's clock and this machine's agree."""
    before = time.time()
    date = _get("/health").headers.get("Date")
    doubt = (time.time() - before) / 2
    try:
        apart = parsedate_to_datetime(date).timestamp() + 0.5 - (before + doubt)  # it tells whole seconds, cut off
    except (TypeError, ValueError):
        return "the server does not tell its time"
    if abs(apart) > SKEW + doubt:
        way = "ahead of" if apart > 0 else "behind"
        raise AnomalyError(f"the server is {abs(apart):.0f} s {way} this machine: set both by NTP (timedatectl)")
    return f"{abs(apart):.0f} s apart"


def database() -> str:
    """Whether the local database can be opened and has the schema of this MLflow; one that is yet to be made is well.

    It is not opened through MLflow, which would bring it to its own schema without a backup.
    """
    # Imported here, because it takes a while and warns; a server needs none of it.
    from mlflow.store.db.utils import _get_latest_schema_revision, _get_schema_version

    file = _database_file()
    if file is not None and not file.exists():
        if not os.access(file.parent, os.W_OK):
            raise ServerUnavailable(f"{file.parent} cannot be written: go to another folder")
        return f"the first step makes {file}; for a server, set MLFLOW_TRACKING_URI"
    try:
        engine = sqlalchemy.create_engine(mlflow.get_tracking_uri())
        found, wanted = _get_schema_version(engine), _get_latest_schema_revision()
        engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise ServerUnavailable(f"{server_address()} cannot be opened: {first_line(error)}") from None
    if found not in (None, wanted):
        mend = "back it up, then `mlflow db upgrade ADDRESS`; or install the mlflow that made it"
        raise AnomalyError(f"its schema is {found}, and mlflow {mlflow.__version__} needs {wanted}: {mend}")
    if file is not None and not os.access(file, os.W_OK):
        raise ServerUnavailable(f"{file} cannot be written: check its permissions")
    return f"{server_address()}, schema of mlflow {mlflow.__version__}"


def has_database() -> bool:
    """Whether the local database is there; one on a database server is."""
    file = _database_file()
    return file is None or file.exists()


def _database_file() -> Path | None:
    try:
        address = sqlalchemy.make_url(mlflow.get_tracking_uri())
    except sqlalchemy.exc.ArgumentError:
        return None
    is_file = address.get_backend_name() == "sqlite" and address.database
    return Path(address.database).absolute() if is_file else None


def _get(path: str) -> requests.Response:
    """One request, tried once."""
    creds = get_default_host_creds(mlflow.get_tracking_uri())
    with clear_errors():
        return http_request(creds, path, "GET", max_retries=0, timeout=10, raise_on_status=False)

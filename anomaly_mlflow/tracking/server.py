"""The tracking server as the user meets it: its failures in one line, its links."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# MLflow would print the tracking address with the password in it.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

import mlflow
from mlflow.exceptions import MlflowException
from requests import exceptions as requests_exceptions
from sqlalchemy.exc import SQLAlchemyError

import anomaly_mlflow.tracking.attempts  # noqa: F401 (sets how often MLflow tries)
from anomaly_mlflow.errors import AnomalyError, RunNotFound, ServerUnavailable

__all__ = [
    "clear_errors",
    "client",
    "first_line",
    "has_server",
    "hide_password",
    "may_pass",
    "run_link",
    "server_address",
]

UI_SUFFIX = "?workflowType=machine_learning"
_LOCAL_FAULT = "disk is full|readonly"


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what MLflow and its transports raise into one line: ServerUnavailable, RunNotFound or AnomalyError."""
    try:
        yield
    except MlflowException as error:
        raise _translated(error) from error
    except (requests_exceptions.RequestException, SQLAlchemyError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status == 404:
            raise RunNotFound(first_line(error)) from error
        if status in (401, 403):
            raise _refused(status) from error
        raise ServerUnavailable(f"tracking server {server_address()} does not answer: {first_line(error)}") from error


def may_pass(error: Exception) -> bool:
    """Whether waiting may mend it: no answer, a busy or a broken server; not a refusal, not a fault of this machine."""
    if isinstance(error, MlflowException):
        status = error.get_http_status_code()
    elif isinstance(error, (requests_exceptions.RequestException, SQLAlchemyError)):
        status = getattr(getattr(error, "response", None), "status_code", 503)
    else:
        return False
    local_fault = not has_server() and re.search(_LOCAL_FAULT, str(error))
    return (status >= 500 or status in (408, 429)) and not local_fault


def hide_password() -> None:
    """Move a password out of the tracking address into MLflow's own variables, so that nothing can print it."""
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    user, at, host = address.partition("://")[2].rpartition("@")
    if not (at and address.startswith("http")):
        return
    name, _, password = user.partition(":")
    os.environ.setdefault("MLFLOW_TRACKING_USERNAME", unquote(name))
    os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", unquote(password))
    os.environ["MLFLOW_TRACKING_URI"] = f"{address.partition('://')[0]}://{host}"


def client() -> mlflow.MlflowClient:
    """A client of the tracking server that the environment names."""
    return mlflow.MlflowClient()


def run_link(run_id: str) -> str:
    """Where a browser shows this run; without a server, where it will once `mlflow server` runs here."""
    address = mlflow.get_tracking_uri()
    host = server_address() if address.startswith("http") else "http://127.0.0.1:5000"
    experiment = client().get_run(run_id).info.experiment_id
    return f"{host}/#/experiments/{experiment}/runs/{run_id}{UI_SUFFIX}"


def has_server() -> bool:
    """Whether runs go to a server rather than to a local database."""
    return mlflow.get_tracking_uri().startswith("http")


def _translated(error: MlflowException) -> AnomalyError:
    text = first_line(error)
    if error.error_code == "RESOURCE_DOES_NOT_EXIST":
        return RunNotFound(text)
    if "must be in the 'active' state" in text:
        return RunNotFound(f"{text} It was deleted on the server: restore it (mlflow runs restore) or start anew")
    for status in (401, 403):
        if error.get_http_status_code() == status or f"{status} Client Error" in text:
            return _refused(status)
    if "API request to" in text or "Max retries" in text:
        return ServerUnavailable(
            f"tracking server {server_address()} does not answer; is it running, and is the address right?"
        )
    return AnomalyError(f"MLflow: {text}")


def _refused(status: int) -> ServerUnavailable:
    if status == 403:
        told = "does not allow this user to do that: ask the owner of the experiment or model for the permission MANAGE"
        return ServerUnavailable(
            f"tracking server {server_address()} {told}, or set MLFLOW_EXPERIMENT_NAME to your own"
        )
    names = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    return ServerUnavailable(f"tracking server {server_address()} refuses the login: set {names}")


def server_address() -> str:
    """The tracking address without user name, password and query."""
    return _without_secrets(mlflow.get_tracking_uri().rstrip("/").partition("?")[0])


def _without_secrets(text: str) -> str:
    return re.sub(r"//[^\s'\"]*@", "//", text)


def first_line(error: Exception) -> str:
    """What an error says, in one line and without secrets."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    cause = next((line for line in lines if re.search(f"OperationalError|{_LOCAL_FAULT}", line)), lines[0])
    return _without_secrets(cause)

"""What a worker on another machine is told of the tracking server: everything but the login."""

import os
import re
from urllib.parse import unquote_plus

import mlflow

from anomaly_mlflow.errors import BadOption

__all__ = ["passed_on"]

NAMES = (
    "MLFLOW_DISABLE_TELEMETRY",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
    "MLFLOW_HTTP_REQUEST_TIMEOUT",
    "MLFLOW_TRACKING_INSECURE_TLS",
    "MLFLOW_TRACKING_SERVER_CERT_PATH",
)


def passed_on() -> dict[str, str]:
    """Variables for the environment of a worker, none of them a secret. Raises BadOption on a password in the address.

    The login is that of the worker's own environment, ~/.mlflow/credentials or ~/.pgpass.
    """
    address = mlflow.get_tracking_uri()
    user, query = address.partition("://")[2].rpartition("@")[0], unquote_plus(address)
    if ":" in user or re.search("(password|passwd|pwd)=", query, re.IGNORECASE):
        told = "the tracking address holds a password, which other machines would show"
        raise BadOption(f"{told}; leave it out and set PGPASSWORD where the workers run")
    return {"MLFLOW_TRACKING_URI": address} | {name: os.environ[name] for name in NAMES if name in os.environ}

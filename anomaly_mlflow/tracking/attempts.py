"""How often a call to the tracking server is tried, and what is said meanwhile."""

import logging
import os
import time

__all__ = ["leaving_server", "met_server"]

RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
FIRST_CONTACT, ONCE_MET, WHEN_LEAVING = "4", "40", "1"
"""Half a minute, then a clear line; about three minutes; one more attempt at once. MLflow reads it at each request."""
PAUSE = "10"
"""Seconds between two attempts once the server was met, at most: MLflow's own pauses would grow to two minutes."""
SILENCE = 300.0
"""Seconds between two lines about a server that does not answer."""


def met_server() -> None:
    """Note that the server has answered: from now on a call outlasts an absence of two minutes."""
    if os.environ[RETRIES] == FIRST_CONTACT:
        os.environ["_MLFLOW_HTTP_REQUEST_MAX_RETRIES_LIMIT"] = ONCE_MET
        os.environ["MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"] = "0"
        os.environ["MLFLOW_HTTP_REQUEST_BACKOFF_JITTER"] = PAUSE
        os.environ[RETRIES] = ONCE_MET


def leaving_server() -> None:
    """Note that this process is asked to end: from now on a call waits for nobody."""
    os.environ[RETRIES] = WHEN_LEAVING


class _OneLine(logging.Filter):
    """Makes a line of what urllib3 says about each attempt, and lets it pass once in a while."""

    def __init__(self):
        super().__init__()
        self.last_said = -SILENCE

    def filter(self, record: logging.LogRecord) -> bool:
        retry = getattr(record, "__urllib3-retry-warning", None)
        if retry is None:
            return True
        if time.monotonic() - self.last_said < SILENCE:
            return False
        self.last_said = time.monotonic()
        record.msg, record.args = "%s does not answer; trying again", (retry["host"],)
        return True


os.environ.setdefault(RETRIES, FIRST_CONTACT)
logging.getLogger("urllib3.connectionpool").addFilter(_OneLine())

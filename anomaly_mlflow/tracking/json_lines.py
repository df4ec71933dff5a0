"""ANOMALY_LOG=json: a line of a log as one JSON object, for log collectors."""

import json
import logging
import os
from datetime import UTC, datetime

from anomaly_mlflow.tracking.current import at

__all__ = ["JsonLine", "speak_json", "wanted"]

LOGGERS = ("anomaly_mlflow", "urllib3.connectionpool")
"""Who speaks of a recording: we, and MLflow's transport where the server does not answer."""


class JsonLine(logging.Formatter):
    """Time, level, logger, step and run at hand, message; what went wrong, if anything did."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, without a line break."""
        step, run_id = at()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "step": step,
            "run_id": run_id,
            "message": record.getMessage(),
        }
        return json.dumps(line | ({"exception": self.formatException(record.exc_info)} if record.exc_info else {}))


def wanted() -> bool:
    """Whether the environment asks for JSON."""
    return os.environ.get("ANOMALY_LOG") == "json"


def speak_json() -> None:
    """Have these loggers write JSON to stderr in a program of somebody else, whose own logging stays as it is."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each.formatter, JsonLine) for each in logger.handlers):
            handler = logging.StreamHandler()
            handler.setFormatter(JsonLine())
            logger.addHandler(handler)
            logger.propagate = False
    logging.getLogger(LOGGERS[0]).setLevel(logging.INFO)

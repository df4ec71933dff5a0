"""What reaches the terminal: plain lines, or with ANOMALY_LOG=json one JSON object a line, for log collectors."""

import logging
import sys
import warnings

from tqdm import tqdm

from anomaly_mlflow.tracking.json_lines import JsonLine, wanted

__all__ = ["one_line", "quiet"]

OURS = ("entry_points", "anomaly_mlflow")
TALKATIVE = ("entry_points", "anomaly_mlflow.tracking")
"""What tells its progress; everything else speaks from warnings on."""
NOT_OURS = ("mlflow", "lightning_fabric", "alembic", "sqlalchemy.engine", "huey")


def quiet() -> None:
    """Leave on the terminal what the user can act on: our own lines, warnings, results, progress."""
    as_json = wanted()
    terminal = _Terminal()
    terminal.setFormatter(JsonLine() if as_json else _Plain())
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _Terminal)] + [terminal]
    root.setLevel(logging.WARNING)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in NOT_OURS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        if as_json:  # MLflow's own handlers write lines of their own form
            logger.handlers, logger.propagate = [], True
    logging.captureWarnings(as_json)
    warnings.filterwarnings("ignore", module="mlflow|lightning_fabric|pydantic|sqlalchemy")
    warnings.filterwarnings("ignore", "An input example was not provided|.*noload|Grad strides do not match")


def one_line(text: str) -> str:
    """A text that may come from anywhere, without line breaks and control characters, 2,000 characters at most."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:2000]


class _Terminal(logging.Handler):
    """Writes to what is stderr at that moment, above the progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if sys.stderr.isatty():
            tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.split(".")[0] in OURS
        begins = {logging.INFO: "", logging.ERROR: "error: "} if ours else {}
        return begins.get(record.levelno, f"{record.levelname}: ") + super().format(record)

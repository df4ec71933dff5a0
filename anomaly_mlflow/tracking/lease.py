"""A run belongs to one process at a time: heartbeats, and how a run whose process died changes hands.

The tags `anomaly.owner` and `anomaly.heartbeat` say who works on a run. It changes hands by the parameter
`takeover.N`, N counted from 1: parameters cannot be changed, so of several takers only the first can write it. Until
the N-th taker has set the owner, its parameter says who it is.
"""

import json
import logging
import os
import sys
import threading
import time
import uuid
from contextlib import suppress

import mlflow
from mlflow.entities import Run as Record
from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from anomaly_mlflow.tracking.owner import lives, this_process
from anomaly_mlflow.tracking.server import client, has_server

__all__ = ["LEASE", "OWNER", "Lease", "free", "holder", "owner_tags", "silence", "silent", "take"]

logger = logging.getLogger(__name__)

LEASE = float(os.environ.get("ANOMALY_LEASE", 60))
"""Seconds without a heartbeat after which another machine may take a run; four heartbeats fit in."""

OWNER, HEARTBEAT, TAKEOVER = "anomaly.owner", "anomaly.heartbeat", "takeover."


class Lease:
    """This process's hold on a run: heartbeats, and the end of the process where another one took the run meanwhile.

    ends_process: False where the process does more than this run; it then goes on, and so do the heartbeats.
    """

    def __init__(self, run_id: str, takeovers: int = 0, *, ends_process: bool = True):
        self.run_id, self._ends_process = run_id, ends_process
        self._takeovers = takeovers
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    @property
    def tags(self) -> dict[str, str]:
        """What the run says of itself from now on."""
        return owner_tags(self._takeovers)

    def keep(self) -> None:
        """Begin to send heartbeats."""
        self._thread.start()

    def release(self) -> None:
        """Send no more heartbeats; the process ends here where the run is not its own any more."""
        self._released.set()
        self._thread.join(10)
        with suppress(Exception):  # a server that is gone is met again by whoever ends the run
            if _answers():
                self._stop_if_taken()

    def settle(self, owner: dict) -> None:
        """Give back a run that has ended; its tags say who held it."""
        client().set_tag(self.run_id, OWNER, json.dumps({**owner, "takeovers": self._takeovers}))

    def _beat(self) -> None:
        while not self._released.wait(LEASE / 4):
            with suppress(Exception):  # the server is away: training goes on, the next heartbeat tries again
                if _answers():
                    run = self._stop_if_taken()
                    if run.info.status == "FAILED":  # said by an `mlflow run` whose process lost the run to this one
                        client().update_run(self.run_id, "RUNNING")
                    client().set_tag(self.run_id, HEARTBEAT, str(time.time()))

    def _stop_if_taken(self) -> Record:
        run = client().get_run(self.run_id)
        if not self._ends_process or _takeovers(run) == self._takeovers:
            return run
        taker = holder(run)
        who = _printable(f"{taker.get('host')}, process {taker.get('process')}")
        logger.error("run %s was taken over by %s; this process stops", self.run_id, who)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)  # nothing that still runs here may write into the run or set its status


def owner_tags(takeovers: int = 0) -> dict[str, str]:
    """Tags of a run that is in the hands of this process, as its first owner or after so many takeovers."""
    return {OWNER: json.dumps({**this_process(), "takeovers": takeovers}), HEARTBEAT: str(time.time())}


def take(run: Record) -> Lease | None:
    """Take a run that was found free, as it was then; None where another was faster or it is not ours to change.

    Its status stays as it is.
    """
    number = _takeovers(run) + 1
    claim = {**this_process(), "time": time.time(), "id": uuid.uuid4().hex}
    try:
        client().log_param(run.info.run_id, f"{TAKEOVER}{number}", json.dumps(claim))
    except MlflowException as error:
        if error.error_code not in ("INVALID_PARAMETER_VALUE", "PERMISSION_DENIED"):
            raise
        return None
    return Lease(run.info.run_id, number)


def free(runs: list[Record], *, watch: bool) -> list[Record]:
    """Those runs on which no process works: ended, or its process is dead.

    A process on this machine is dead when it is gone. Any other when its heartbeat is older than the lease and
    stays as it is while watched for two heartbeats more, since clocks differ; without `watch` it counts as alive.
    """
    held = [run for run in runs if run.info.status == "RUNNING" or _is_on_its_way(run)]
    found = [run for run in runs if run not in held or lives(holder(run)) is False]
    quiet = silent(held)
    if quiet and watch:
        ids = ", ".join(run.info.run_id for run in quiet)
        logger.info("waiting %.0f s to see whether anybody still works on run %s", LEASE / 2, ids)
        time.sleep(LEASE / 2)
        now = [client().get_run(run.info.run_id) for run in quiet]
        found += [new for old, new in zip(quiet, now, strict=True) if _pulse(new) == _pulse(old)]
    return found


def silent(runs: list[Record]) -> list[Record]:
    """Those runs of processes that cannot be seen from here whose last heartbeat is older than the lease."""
    return [run for run in runs if holder(run) and lives(holder(run)) is None and silence(run) > LEASE]


def holder(run: Record) -> dict:
    """The process that works on a run or did so last: host, process and more; empty where the run does not say."""
    if _is_on_its_way(run):
        return _read(run.data.params.get(f"{TAKEOVER}{_takeovers(run)}", ""))
    return _read(run.data.tags.get(OWNER, ""))


def silence(run: Record) -> float:
    """Seconds between now, by the clock of this machine, and the last sign of life; never below 0."""
    return abs(time.time() - _pulse(run)[1])


def _pulse(run: Record) -> tuple[int, float, str]:
    signs = [_number(run.data.tags.get(HEARTBEAT)), _number(holder(run).get("time"))]
    return _takeovers(run), max(signs), run.info.status


def _is_on_its_way(run: Record) -> bool:
    """Whether the last taker has not set the owner yet."""
    return _takeovers(run) > _number(_read(run.data.tags.get(OWNER, "")).get("takeovers"))


def _takeovers(run: Record) -> int:
    numbers = [key.removeprefix(TAKEOVER) for key in run.data.params if key.startswith(TAKEOVER)]
    return max((int(number) for number in numbers if _is_count(number)), default=0)


def _is_count(number: str) -> bool:
    """Whether `take` could have written it: anybody can write the likes of 007 and of digits that are not ASCII."""
    return number.isascii() and number.isdecimal() and str(int(number)) == number


def _printable(text: str) -> str:
    """One short line: what a run says of itself may hold anything, also commands for a terminal."""
    return "".join(letter for letter in text if letter.isprintable())[:200]


def _read(text: str) -> dict:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _answers() -> bool:
    """Whether the server is there, by one try: MLflow's own would wait ever longer, past the end of the lease."""
    if not has_server():
        return True
    creds = get_default_host_creds(mlflow.get_tracking_uri())
    return http_request(creds, "/health", "GET", max_retries=0, timeout=10, raise_on_status=False).status_code < 500

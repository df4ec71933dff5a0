"""The run that `mlflow run` opens for the command that it starts, where the command goes on with an earlier one."""

import atexit
import os
import subprocess
import sys
import time

from anomaly_mlflow.tracking.owner import USER, this_user
from anomaly_mlflow.tracking.server import client

__all__ = ["RESUMED", "dismiss_waiting_run"]

RESUMED = "anomaly.resumed"
"""Tag of such a run: the one that was continued in its place."""


def dismiss_waiting_run(resumed: str) -> None:
    """See to it that the waiting run, if there is one, is deleted soon after this process.

    Not before: `mlflow run` sets its status at the end and would fail (its test for a run that has ended, 3.17,
    compares words with numbers and never holds).
    """
    waiting = os.environ.pop("MLFLOW_RUN_ID", None)
    if waiting and waiting != resumed:
        client().set_tag(waiting, USER, this_user())  # `mlflow run` does not look at the login
        client().set_tag(waiting, RESUMED, resumed)
        atexit.register(_leave_to_another_process, waiting)


def _leave_to_another_process(run_id: str) -> None:
    nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen([sys.executable, "-m", __name__, run_id], start_new_session=True, **nowhere)


def _delete_once_ended(run_id: str) -> None:
    for _ in range(60):
        if client().get_run(run_id).info.status != "RUNNING":
            break
        time.sleep(0.5)
    client().delete_run(run_id)


if __name__ == "__main__":
    _delete_once_ended(sys.argv[1])

"""Another process of the project: `peer.py hold [CLOCK]` or `peer.py take GO RUN...`; see the functions."""

import sys
import time
from pathlib import Path

from anomaly_mlflow.tracking import lease, owner
from anomaly_mlflow.tracking.lifecycle import start
from anomaly_mlflow.tracking.server import client


def hold(clock=None):
    """Work on a run until stdin ends; with a clock (seconds ahead of the true time) as if on another machine."""
    if clock:
        here, now = owner.this_process(), time.time
        owner.this_process = lease.this_process = lambda: here | {"host": "elsewhere", "boot": "elsewhere"}
        time.time = lambda: now() + float(clock)
    with start("work", {}) as run:
        print(run.id, flush=True)
        sys.stdin.read()


def take(go, *run_ids):
    """Look at some runs; once the file `go` is there take as many as possible, and print which."""
    seen = [client().get_run(run_id) for run_id in run_ids]
    print("ready", flush=True)
    while not Path(go).exists():
        pass
    print(*(found.run_id for run in seen if (found := lease.take(run))), flush=True)


if __name__ == "__main__":
    {"hold": hold, "take": take}[sys.argv[1]](*sys.argv[2:])

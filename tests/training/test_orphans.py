"""Joblib's workers and the death of the process that they work for."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
from desk import ROOT

SCRIPT = """
import os, sys, time
from pathlib import Path
from joblib import delayed
from anomaly_mlflow.training.side_by_side import side_by_side

def task(folder, number):
    Path(folder, f"new{number}").write_text(str(os.getpid()))
    Path(folder, f"new{number}").rename(Path(folder, f"task{number}"))
    time.sleep(3600)

if __name__ == "__main__":
    list(side_by_side([delayed(task)(sys.argv[1], number) for number in range(2)], 2))
"""


def test_a_worker_ends_when_the_process_that_it_works_for_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, script, tmp_path], env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: len(list(tmp_path.glob("task*"))) == 2)
    finally:
        process.kill()
        process.wait(30)
    workers = [int(Path(file).read_text()) for file in tmp_path.glob("task*")]
    try:
        wait_for(lambda: not any(psutil.pid_exists(worker) for worker in workers), seconds=30)
    finally:
        for worker in filter(psutil.pid_exists, workers):
            psutil.Process(worker).kill()


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.2)

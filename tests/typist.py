"""Commands in processes of their own that do not import everything anew: forked from a server that has, once."""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

__all__ = ["typed"]

COMMANDS = multiprocessing.get_context("forkserver")
STORE = "mlflow.store.{}.sqlalchemy_store"  # imported by MLflow when it first opens a database
COMMANDS.set_forkserver_preload(
    ["entry_points.cli", "anomaly_mlflow.training.ranks", STORE.format("tracking"), STORE.format("model_registry")]
)


def typed(words: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """What `python -m entry_points` does with these words; variables that are read at import have no effect."""
    with tempfile.TemporaryDirectory() as place:
        streams = [Path(place, name) for name in ("stdout", "stderr")]
        process = COMMANDS.Process(target=_command, args=(words, folder, environment, streams))
        process.start()
        process.join()
        out, error = (path.read_text() if path.exists() else "" for path in streams)
        return subprocess.CompletedProcess(["python", "-m", "entry_points", *words], process.exitcode, out, error)


def _command(words, folder, environment, streams):
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.update(environment)
    # The server took over what the test that started it had set.
    places = ("PYTEST_", "MLFLOW_TRACKING_", "MLFLOW_EXPERIMENT_", "MLFLOW_RUN_ID")
    for name in [name for name in os.environ if name.startswith(places) and name not in environment]:
        del os.environ[name]
    sys.argv = ["entry_points", *words]
    code = _exit_code()
    threading._shutdown()
    atexit._run_exitfuncs()  # what a child of multiprocessing leaves out
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _exit_code() -> int:
    try:
        runpy.run_module("entry_points", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

"""`python -m entry_points doctor`: whether a study can run here, a line a check."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from tqdm import tqdm

from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.tracking import health, round_trip
from anomaly_mlflow.tracking.attempts import leaving_server
from anomaly_mlflow.tracking.server import first_line, has_server
from anomaly_mlflow.tracking.unfinished import close_dead_runs, find_dead_runs
from entry_points.terminal import one_line
from entry_points.work_folder import state_folder

__all__ = ["doctor"]

Check = Callable[[], str]
BLOCKING = ("server", "login", "database")
"""Checks without which those of the store that follow cannot be made."""
WRITING = ("artifacts", "space")
"""Checks that would say again what `write` has said."""
SPACE = 2 * 10**9
"""Bytes that should be free: a training's recording, models and state take about so much."""


@click.command("doctor")
@click.option(
    "--close", is_flag=True, help="Mark dead runs FAILED, as each step does when it starts; may take half a minute."
)
@click.pass_context
def doctor(context: click.Context, close: bool) -> None:
    """Check the tracking server or database, login, versions, clock, a run and an artifact, dead runs, disks.

    A line each: `ok`, `MEND` and what to do, or `-` where it has to wait for one above. Exit code 1 where there is
    something to mend. Nothing stays but a deleted run, which the next call takes up again.
    """
    leaving_server()  # a server that is away is a finding here, nothing to wait for
    done = [*_store(close), *_disks()]
    if not all(done):
        context.exit(1)


def _store(close: bool) -> list[bool]:
    """Carry out the checks of the tracking store in order; whether each found all well."""
    first = [("server", health.server), ("login", health.login), ("version", health.version), ("clock", health.clock)]
    done, waits_for, refused = [], "", ()
    for name, check in [
        *(first if has_server() else [("database", health.database)]),
        ("write", round_trip.write),
        ("artifacts", round_trip.artifacts),
        ("space", _artifact_space),
        ("dead runs", lambda: _dead_runs(close)),
    ]:
        if waits_for or name in refused:
            click.echo(f"-     {name:<10} waits for {waits_for or 'write'}")
            continue
        done.append(_told(name, check))
        if name == "write" and not done[-1]:
            refused = WRITING
        if name in BLOCKING and not done[-1]:
            waits_for = name
        elif name == "database" and not health.has_database():
            waits_for = "the first step"
    return done


def _disks() -> list[bool]:
    return [
        _told("state", lambda: _space(state_folder(), "ANOMALY_STATE")),
        _told("temporary", lambda: _space(Path(tempfile.gettempdir()), "TMPDIR")),
    ]


def _told(name: str, check: Check) -> bool:
    """Carry out a check and say what it found; whether all is well."""
    try:
        click.echo(f"ok    {name:<10} {one_line(check())}")
    except AnomalyError as error:
        click.echo(f"MEND  {name:<10} {one_line(str(error))}")
    except Exception as error:  # of a store's own client library
        click.echo(f"MEND  {name:<10} {one_line(f'{type(error).__name__}: {first_line(error)}')}")
    else:
        return True
    return False


def _dead_runs(close: bool) -> str:
    closed = close_dead_runs(watch=True) if close else []
    left = find_dead_runs()
    if not left:
        return f"{len(closed)} marked FAILED" if closed else "none"
    how = "their users, or a machine whose clock is apart, have to" if close else "`doctor --close` marks them FAILED"
    several = "runs are" if len(left) > 1 else "run is"
    raise AnomalyError(f"{len(left)} {several} RUNNING without a process: {how} ({', '.join(left[:3])} ...)")


def _artifact_space() -> str:
    folder = round_trip.artifact_folder()
    if folder is None:
        return "artifacts lie with the server or a store of their own, whose space cannot be seen from here"
    return _space(folder, "")


def _space(folder: Path, variable: str) -> str:
    """Raises AnomalyError where the folder cannot be written, or its disk is nearly full."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    other = f", or set {variable} to another folder" if variable else ""
    if not os.access(there, os.W_OK):
        raise AnomalyError(f"{there} cannot be written: check its permissions{other}")
    free = shutil.disk_usage(there).free
    told = f"{folder}: {tqdm.format_sizeof(free, 'B')} free"
    if free < SPACE:
        raise AnomalyError(f"{told}, less than {tqdm.format_sizeof(SPACE, 'B')}: make room{other}")
    return told

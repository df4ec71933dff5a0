"""Which unfinished run a command continues."""

import logging
from contextlib import suppress

from anomaly_mlflow.errors import AnomalyError, BadOption, RunNotFound
from anomaly_mlflow.tracking.fingerprint import fingerprint
from anomaly_mlflow.tracking.lease import Lease
from anomaly_mlflow.tracking.lifecycle import set_up_database
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.unfinished import close_dead_runs, find_unfinished, take_run, take_unfinished
from entry_points.provenance import request
from entry_points.step import Step

__all__ = ["FINGERPRINT", "REQUEST", "check_upstream", "request_of", "taken_up", "taken_up_below"]

logger = logging.getLogger(__name__)

REQUEST = "anomaly.request"
"""Tag: digest of what the command of a run asked for."""

FINGERPRINT = "anomaly.fingerprint"
"""Tag: digest of what a run is made from."""


def request_of(step: Step, options: dict) -> dict:
    """What a command asks for; empty where its data cannot be read, which the run that it opens will say."""
    with suppress(AnomalyError, OSError):
        return request(step, options)
    return {}


def taken_up(step: Step, options: dict, wanted: dict) -> Lease | None:
    """The unfinished run that a command continues, as its option `resume` says; dead runs of others are closed.

    wanted: its request. Raises RunNotFound or BadOption where the named run is not one that it can continue.
    """
    set_up_database()
    close_dead_runs(watch=True)
    if options["resume"] == "none":
        return None
    if options["resume"] == "auto":
        return _told(take_unfinished(step.name, REQUEST, fingerprint([], wanted))) if wanted else None
    run = find_unfinished(options["resume"], step.name)
    _check_request(run, wanted or request(step, options))
    return _told(take_run(run.id))


def taken_up_below(step: Step, options: dict, made_from: str, parent: Run) -> Lease | None:
    """The unfinished run of a step upstream with this fingerprint, in its parent's experiment."""
    if options["resume"] == "none":
        return None
    close_dead_runs(watch=False)
    return _told(take_unfinished(step.name, FINGERPRINT, made_from, parent.experiment_id))


def check_upstream(run: Run, made_from: str) -> None:
    """Raises BadOption where a resumed run was begun with another fingerprint than the one it would now have."""
    if run.resumed and run.tags.get(FINGERPRINT, made_from) != made_from:
        raise BadOption(f"run {run.id} was begun with other runs upstream; resume=none starts a new one")


def _check_request(run: Run, wanted: dict) -> None:
    tags = run.tags
    if REQUEST not in tags and "mlflow.parentRunId" in tags:
        raise BadOption(f"run {run.id} was made for run {tags['mlflow.parentRunId']}; resume that one")
    if tags.get(REQUEST) == fingerprint([], wanted):
        return
    try:
        changes = _changes(run.json("request.json"), wanted)
    except RunNotFound:
        changes = []
    reason = "; ".join(changes) or "its options, data or code were others"
    raise BadOption(f"run {run.id} was begun by another command: {reason}; resume=none starts a new one")


def _changes(before: dict, wanted: dict) -> list[str]:
    was, now = before.get("options", {}), wanted["options"]
    changes = [f"{name}={was[name]}, not {now[name]}" for name in now if name in was and was[name] != now[name]]
    for key, words in (("data", "other data"), ("code", "other code"), ("plugins", "other signals")):
        if not changes and before.get(key) != wanted[key]:
            changes = [words]
    return changes


def _told(lease: Lease | None) -> Lease | None:
    if lease:
        logger.info("going on with run %s", lease.run_id)
    return lease

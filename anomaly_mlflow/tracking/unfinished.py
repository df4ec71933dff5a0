"""Runs that never finished: closed where their process died, found again, taken up."""

from itertools import takewhile

from mlflow.entities import Run as Record

from anomaly_mlflow.errors import BadOption, RunNotFound
from anomaly_mlflow.tracking.experiments import experiment_in_use
from anomaly_mlflow.tracking.lease import OWNER, Lease, free, holder, silence, silent, take
from anomaly_mlflow.tracking.owner import USER, this_user
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client
from anomaly_mlflow.tracking.waiting_run import RESUMED

__all__ = ["close_dead_runs", "find_dead_runs", "find_unfinished", "take_run", "take_unfinished"]


def find_dead_runs() -> list[str]:
    """Ids of the RUNNING runs of this project whose process is gone, or silent for longer than the lease."""
    with clear_errors():
        running = _running()
        return [run.info.run_id for run in (*free(running, watch=False), *silent(running))]


def close_dead_runs(*, watch: bool) -> list[str]:
    """Mark the RUNNING runs of this project whose process died as FAILED, and say which; living ones stay.

    watch: wait for the heartbeats of other machines where they are overdue (see `free`).
    """
    closed = []
    with clear_errors():
        for run in free(_running(), watch=watch):
            owner, lease = holder(run), take(run)
            if lease:
                closed.append(run.info.run_id)
                client().set_tag(run.info.run_id, "anomaly.error", f"its process died on {owner.get('host')}")
                client().set_terminated(run.info.run_id, "FAILED")
                lease.settle(owner)
        # Waiting runs whose process did not live to have them deleted.
        for run in _ours(_search(f"tags.`{RESUMED}` IS NOT NULL and attributes.status != 'RUNNING'")):
            client().delete_run(run.info.run_id)
    return closed


def take_unfinished(step: str, tag: str, value: str, experiment: str | None = None) -> Lease | None:
    """Take this user's newest KILLED or FAILED run of a step with this tag; None where one that finished is newer.

    experiment: the only one that is searched; None: the one that this process works in. Others could have made up
    runs in theirs.
    """
    with clear_errors():
        searched = experiment or experiment_in_use()
        if searched is None:
            return None
        found = _ours(_search(f"tags.`anomaly.step` = '{step}' and tags.`{tag}` = '{value}'", [searched]))
        recent = takewhile(lambda run: run.info.status != "FINISHED", found)
        ended = [run for run in recent if run.info.status != "RUNNING"]
        return next((lease for run in free(ended, watch=False) if (lease := take(run))), None)


def find_unfinished(run_id: str, step: str) -> Run:
    """The run of this id, for continuing. Raises RunNotFound or BadOption where it cannot be continued as this step."""
    try:
        with clear_errors():
            run = client().get_run(run_id)
    except RunNotFound:
        raise RunNotFound(f"there is no run '{run_id}' on this tracking server") from None
    made = run.data.tags.get("anomaly.step", "foreign")
    if made != step:
        raise BadOption(f"run {run_id} is a {made} run; only a {step} run can be resumed here")
    if run.info.lifecycle_stage == "deleted":
        raise RunNotFound(f"run {run_id} was deleted; restore it or name another")
    if run.info.status == "FINISHED":
        raise BadOption(f"run {run_id} is finished; there is nothing to resume")
    if run.info.status == "RUNNING" and OWNER not in run.data.tags:
        raise BadOption(f"run {run_id} is RUNNING and does not say in which process; it cannot be resumed")
    return Run(run_id)


def take_run(run_id: str) -> Lease:
    """Take this run. Raises BadOption where a living process works on it, or it cannot be changed."""
    with clear_errors():
        run = client().get_run(run_id)
        found = free([run], watch=True)
        lease = take(found[0]) if found else None
    if not found:
        who = f"{holder(run).get('host')} (heartbeat {silence(run):.0f} s ago)"
        raise BadOption(f"run {run_id} is alive on {who}")
    if lease is None:
        raise BadOption(f"run {run_id} cannot be taken up: another process was faster, or you may not change it")
    return lease


def _ours(runs: list[Record]) -> list[Record]:
    """Those of this user: whoever stopped a run meant it, and others go on with it only by its id."""
    user = this_user() if runs else ""
    return [run for run in runs if run.data.tags.get(USER, "") == user]


def _running() -> list[Record]:
    wanted = f"tags.`{OWNER}` IS NOT NULL and attributes.status = 'RUNNING'"
    return [run for run in _search(wanted) if _is_readable(run)]


def _is_readable(run: Record) -> bool:
    """Whether a run can be judged; whatever others wrote into theirs must not stop the commands of everybody."""
    try:
        free([run], watch=False)
    except Exception:
        return False
    return True


def _search(wanted: str, experiments: list[str] | None = None) -> list[Record]:
    """The newest of these runs, in these experiments or in any."""
    experiments = experiments or [experiment.experiment_id for experiment in client().search_experiments()]
    return client().search_runs(experiments, wanted, max_results=1000, order_by=["attributes.start_time DESC"])

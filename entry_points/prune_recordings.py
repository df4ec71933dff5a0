"""`python -m entry_points prune_recordings`: old recordings are thinned to the features extracted from them."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click
from tqdm import tqdm

from anomaly_mlflow.errors import AnomalyError, RunNotFound
from anomaly_mlflow.tracking.lifecycle import set_up_database, upstream_of
from anomaly_mlflow.tracking.owner import this_user
from anomaly_mlflow.tracking.retention import artifact_size, finished, has_artifact, remove_artifact
from anomaly_mlflow.tracking.run import Run

__all__ = ["prune_recordings"]

RECORDING = "recording"


class _Age(click.ParamType):
    """A time span as `mlflow gc` takes it."""

    name = "time span"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "[AGE]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        parts = re.fullmatch(r"(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?", str(value), re.ASCII)
        if not (value and parts):
            self.fail(f"{value!r} is no time span such as 30d, 12h or 2d8h.", param, ctx)
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


@dataclass(frozen=True)
class _Recording:
    """An old recording: its run, when that ended (UTC), bytes, and the run that holds its features, if any."""

    run_id: str
    ended: datetime
    size: int
    features_run: str | None


@click.command("prune_recordings")
@click.option(
    "--older_than",
    type=_Age(),
    default="30d",
    show_default=True,
    help="Time since the training ended: days, hours, minutes, seconds, such as 30d or 2d12h.",
)
@click.option("--apply", "remove", is_flag=True, help="Remove them; without it, they are only listed.")
def prune_recordings(older_than: timedelta, remove: bool) -> None:
    """List or remove the recordings of old finished train_noisy runs of which all signals were extracted.

    Weights, snapshots, metrics, ledgers and features stay. The tag `anomaly.pruned` of the run says when, by what, and
    which run holds the features; a step that needs the recording later says so in one line.
    """
    set_up_database()
    old = _old_recordings(older_than)
    going = [each for each in old if each.features_run]
    for each in old:
        click.echo(f"{'remove' if each.features_run else 'keep  '}  {_described(each)}")
    total = tqdm.format_sizeof(sum(each.size for each in going), "B")
    if not remove:
        click.echo(f"{len(going)} of {len(old)} old recordings could go, {total}; --apply removes them")
        return
    failed = list(filter(None, [_removed(each, older_than) for each in tqdm(going, unit="run", disable=None)]))
    click.echo(f"{len(going) - len(failed)} of {len(old)} old recordings removed")
    if failed:
        raise AnomalyError(f"{len(failed)} could not be removed: {failed[0]}")


def _old_recordings(older_than: timedelta) -> list[_Recording]:
    """Those that still have files; what was removed in part counts."""
    runs = finished("train_noisy", ended_before=int((time.time() - older_than.total_seconds()) * 1000))
    sizes = {
        run.info.run_id: artifact_size(run.info.run_id, RECORDING)
        for run in tqdm(runs, desc="recordings", unit="run", disable=None)
    }
    features = _features_of({run.info.run_id: run.info.experiment_id for run in runs if sizes[run.info.run_id]})
    return [
        _Recording(
            run.info.run_id,
            datetime.fromtimestamp(run.info.end_time / 1000, UTC),
            sizes[run.info.run_id],
            features.get(run.info.run_id),
        )
        for run in runs
        if sizes[run.info.run_id]
    ]


def _features_of(noisy: dict[str, str]) -> dict[str, str]:
    """For each train_noisy run (id -> experiment) the newest run whose feature table has all signals, if there is one.

    Of the same experiment: in one of their own anybody may claim features that nobody extracted.
    """
    found = {}
    extracted = finished("extract_features", param=("signals", "all")) if noisy else []
    for record in tqdm(extracted, desc="features", unit="run", disable=None):
        run_id = record.info.run_id
        try:
            named = upstream_of(Run(run_id)).get("train_noisy")
        except RunNotFound:  # without it nobody knows what the features were made from
            continue
        near = [one for one, experiment in noisy.items() if experiment == record.info.experiment_id]
        made_from = [one for one in near if isinstance(named, list) and one in named]
        if made_from and has_artifact(run_id, "features.parquet"):
            found |= dict.fromkeys(made_from, run_id)
    return found


def _removed(each: _Recording, older_than: timedelta) -> str | None:
    """Remove it; what went wrong, if anything did."""
    by = f"prune_recordings, older than {older_than}, by {this_user()}"
    try:
        remove_artifact(each.run_id, RECORDING, by=by, features_run=each.features_run, size=each.size)
    except (AnomalyError, OSError) as error:
        return f"run {each.run_id}: {error}"
    return None


def _described(each: _Recording) -> str:
    about = (
        f"features in {each.features_run}" if each.features_run else "no features of all signals in its experiment yet"
    )
    return f"{each.run_id}  {each.ended:%Y-%m-%d %H:%M} UTC  {tqdm.format_sizeof(each.size, 'B'):>6}  {about}"

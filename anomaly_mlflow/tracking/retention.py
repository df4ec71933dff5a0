"""Old artifacts: which runs hold them, how large they are, and their removal."""

from mlflow.entities import Run as Record

from anomaly_mlflow.tracking.pruned import PRUNED, pruned_tag
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import clear_errors, client

__all__ = ["artifact_size", "finished", "has_artifact", "remove_artifact"]

PAGE = 1000


def finished(step: str, *, ended_before: int | None = None, param: tuple[str, str] | None = None) -> list[Record]:
    """All finished runs of a step in any experiment, the oldest first.

    ended_before: milliseconds since 1970; param: a parameter and the value that it must have.
    """
    wanted = f"tags.`anomaly.step` = '{step}' and attributes.status = 'FINISHED'"
    wanted += f" and attributes.end_time < {ended_before}" if ended_before is not None else ""
    wanted += f" and params.`{param[0]}` = '{param[1]}'" if param else ""
    found, token = [], None
    with clear_errors():
        experiments = [experiment.experiment_id for experiment in client().search_experiments()]
        while True:
            page = client().search_runs(
                experiments, wanted, max_results=PAGE, order_by=["attributes.end_time ASC"], page_token=token
            )
            found, token = [*found, *page], page.token
            if not token:
                return found


def artifact_size(run_id: str, folder: str) -> int:
    """Bytes of all files in an artifact folder; 0 where it is empty or missing."""
    with clear_errors():
        entries = client().list_artifacts(run_id, folder)
    return sum(artifact_size(run_id, entry.path) if entry.is_dir else entry.file_size or 0 for entry in entries)


def has_artifact(run_id: str, path: str) -> bool:
    """Whether an artifact lies at the top of a run."""
    with clear_errors():
        return path in [entry.path for entry in client().list_artifacts(run_id)]


def remove_artifact(run_id: str, artifact: str, *, by: str, features_run: str, size: int) -> None:
    """Delete an artifact folder of a run; the tag `anomaly.pruned` says when, by what, and where its features are.

    The tag comes first, so that no reader takes what an interrupted removal has left for the whole. Raises
    AnomalyError where the run may not be changed, before anything is deleted.
    """
    with clear_errors():
        run = Run(run_id)
        run.tag(PRUNED, pruned_tag(artifact, by, features_run, size))
        run.remove(artifact)

"""One MLflow run: what a step writes into it and reads from it."""

import hashlib
import io
import json
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from anomaly_mlflow.errors import RunNotFound
from anomaly_mlflow.tracking.download import local_path
from anomaly_mlflow.tracking.pruned import PRUNED, why_pruned
from anomaly_mlflow.tracking.server import clear_errors, client, run_link

__all__ = ["Run", "open_run"]

_UNREADABLE = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What reading a damaged Parquet file raises; the last three where its pandas metadata is not pandas'."""


class Run:
    """A run by its id. Paths are artifact paths, such as `recording/epoch=0003/part-0.parquet`.

    resumed: it was begun by another process, so that what is logged may be there already.
    """

    def __init__(self, run_id: str, *, resumed: bool = False):
        self.id = run_id
        self.resumed = resumed
        self._client = client()
        self._logged: dict[str, str] = {}
        self._before: dict[str, set[int]] = {}

    @property
    def tags(self) -> dict[str, str]:
        """All tags of the run."""
        return dict(self._client.get_run(self.id).data.tags)

    @property
    def status(self) -> str:
        """RUNNING, FINISHED, FAILED or KILLED."""
        return self._client.get_run(self.id).info.status

    @property
    def experiment_id(self) -> str:
        """Id of the experiment that holds the run."""
        return self._client.get_run(self.id).info.experiment_id

    @property
    def link(self) -> str:
        """Where a browser shows the run."""
        return run_link(self.id)

    def log_params(self, params: dict[str, object]) -> None:
        """Log parameters, except those that `mlflow run` logged already (as typed, and they cannot change)."""
        present = self._client.get_run(self.id).data.params
        new = [mlflow.entities.Param(key, str(value)) for key, value in params.items() if key not in present]
        self._client.log_batch(self.id, params=new)

    def log_metrics(self, values: dict[str, float], step: int = 0) -> None:
        """Log a few metrics of one step, except those that were there when the run was resumed."""
        values = {key: value for key, value in values.items() if step not in self._steps_before(key)}
        now = mlflow.utils.time.get_current_time_millis()
        metrics = [mlflow.entities.Metric(key, float(value), now, step) for key, value in values.items()]
        self._client.log_batch(self.id, metrics=metrics)

    def _steps_before(self, key: str) -> set[int]:
        if self.resumed and key not in self._before:
            self._before[key] = {entry.step for entry in self._client.get_metric_history(self.id, key)}
        return self._before.get(key, set())

    def log_dataset(self, images: np.ndarray, labels: np.ndarray, name: str, source: str, context: str) -> None:
        """Note which data went in (digest and shape, not the data)."""
        digest = hashlib.sha256(np.ascontiguousarray(images))  # MLflow's own would copy the whole set
        digest.update(np.ascontiguousarray(labels))
        data = mlflow.data.from_numpy(
            images, CodeDatasetSource({"spec": source}), targets=labels, name=name, digest=digest.hexdigest()[:8]
        )
        entity = mlflow.entities.Dataset(data.name, data.digest, "code", json.dumps(data.source.to_dict()), None)
        tag = mlflow.entities.InputTag("mlflow.data.context", context)
        self._client.log_inputs(self.id, [mlflow.entities.DatasetInput(entity, [tag])])

    def tag(self, key: str, value: str) -> None:
        """Set a tag."""
        self._client.set_tag(self.id, key, value)

    def untag(self, key: str) -> None:
        """Remove a tag where it is set."""
        if key in self.tags:
            self._client.delete_tag(self.id, key)

    @property
    def content(self) -> str:
        """Digest of the data files that this object has logged: what steps downstream are made from."""
        return hashlib.sha256(json.dumps(self._logged, sort_keys=True).encode()).hexdigest()

    def note_content(self, data: bytes, path: str) -> None:
        """Let these bytes count as content under this name."""
        self.note_digest(hashlib.sha256(data).hexdigest(), path)

    def note_digest(self, digest: str, path: str) -> None:
        """Let a file of this sha256 (hex) count as content under this name."""
        self._logged[path] = digest

    def log_frame(self, frame: pd.DataFrame, path: str) -> None:
        """Write a data frame as Parquet (no dictionaries) or CSV, by the path's ending."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, Path(path).name)
            if file.suffix == ".csv":
                frame.to_csv(file, index=False)
            else:
                frame.to_parquet(file, index=False, use_dictionary=False, compression="zstd")
            self.log_file(file, str(Path(path).parent))

    def log_table(self, frame: pd.DataFrame, path: str) -> None:
        """Write a small table that the UI shows and compares between runs; the path ends in .json."""
        present = self.resumed and self._client.list_artifacts(self.id, str(Path(path).parent).removeprefix("."))
        if path in [artifact.path for artifact in present or []]:  # MLflow would append to it
            self.log_text(frame.to_json(orient="split", index=False, date_format="iso"), path)
        else:
            self._client.log_table(self.id, frame, path)

    def log_json(self, value: object, path: str) -> None:
        """Write JSON; it does not count as content."""
        self._client.log_dict(self.id, value, path)

    def log_text(self, text: str, path: str) -> None:
        """Write text, also HTML."""
        self._client.log_text(self.id, text, path)

    def log_figure(self, figure: Figure, path: str) -> None:
        """Write a matplotlib figure."""
        self._client.log_figure(self.id, figure, path)

    def log_file(self, file: Path, folder: str = "") -> None:
        """Upload one file into an artifact folder; it counts as content."""
        self.note_content(file.read_bytes(), f"{folder}/{file.name}")
        self._client.log_artifact(self.id, str(file), None if folder in ("", ".") else folder)

    def remove(self, artifact: str) -> None:
        """Delete an artifact file or folder."""
        get_artifact_repository(self._client.get_run(self.id).info.artifact_uri).delete_artifacts(artifact)

    def metric_history(self, key: str) -> list[float]:
        """All values of a metric in the order of its steps."""
        return [entry.value for entry in sorted(self._client.get_metric_history(self.id, key), key=lambda m: m.step)]

    def path(self, artifact: str) -> Path:
        """An artifact file or folder on this machine. Raises RunNotFound where the run lacks it, or has it no more."""
        record = self._client.get_run(self.id)
        pruned = why_pruned(self.id, record.data.tags.get(PRUNED, ""), artifact)
        if pruned:  # also where some of it is still there
            raise RunNotFound(pruned)
        found = local_path(f"{record.info.artifact_uri}/{artifact}")
        if found is None:
            raise RunNotFound(f"run {self.id} has no artifact '{artifact}'; make the run again")
        return found

    def json(self, artifact: str) -> dict:
        """Read a JSON object. Raises RunNotFound where it is missing or damaged."""
        try:
            value = json.loads(self.path(artifact).read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(artifact, error) from None
        if not isinstance(value, dict):
            raise self._damaged(artifact, "not an object")
        return value

    def frame(self, artifact: str, columns: dict[str, type] | None = None) -> pd.DataFrame:
        """Read a Parquet artifact. Raises RunNotFound where it is missing or damaged.

        columns: names that must be there, each int (whole numbers without gaps), str or object (anything).
        """
        try:
            frame = pd.read_parquet(io.BytesIO(self.path(artifact).read_bytes()))
        except _UNREADABLE as error:
            raise self._damaged(artifact, error) from None
        for name, kind in (columns or {}).items():
            if name not in frame or (kind is int and frame[name].dtype.kind != "i"):
                raise self._damaged(artifact, f"column '{name}' is missing or of another type")
        return frame

    def _damaged(self, artifact: str, why: object) -> RunNotFound:
        reason = str(why).splitlines()[0] if str(why) else "damaged"
        return RunNotFound(f"artifact '{artifact}' of run {self.id} cannot be read ({reason}); make the run again")


def open_run(run_id: str, step: str) -> Run:
    """A finished run of a step, for reading. Raises RunNotFound."""
    try:
        with clear_errors():
            run = Run(run_id)
            info, tags = client().get_run(run_id).info, run.tags
    except RunNotFound:
        raise RunNotFound(f"there is no run '{run_id}' on this tracking server") from None
    if tags.get("anomaly.step") != step:
        raise RunNotFound(f"run {run_id} is a {tags.get('anomaly.step', 'foreign')} run; a {step} run is needed")
    if info.lifecycle_stage == "deleted":
        raise RunNotFound(f"run {run_id} was deleted; restore it or name another")
    if info.status != "FINISHED":
        raise RunNotFound(f"run {run_id} is {info.status}; only a finished {step} run can be used")
    return run

"""Registered models: weights and architecture as files, served by code, found by alias."""

from pathlib import Path

import mlflow
import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from anomaly_mlflow.errors import RunNotFound
from anomaly_mlflow.tracking.download import local_path
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import client

__all__ = ["model_folder", "register_model", "run_of_model"]

CHAMPION_METRIC = "test_accuracy"


def register_model(
    run: Run,
    name: str,
    folder: Path,
    *,
    serving_code: Path,
    packages: list[Path],
    image_shape: tuple[int, int, int],
    num_classes: int,
    test_accuracy: float,
    test_set: str,
) -> str:
    """Log a model folder as a pyfunc from code and register it; the version number comes back.

    `@latest` is MLflow's own name for the newest version. `@champion` is the version of the highest test
    accuracy among all that were tested on the same set as this one; other sets do not compare.
    """
    # An earlier process may have died right after it registered the model.
    made = client().search_model_versions(f"name = '{name}' and run_id = '{run.id}'") if run.resumed else []
    if made:
        version, model_id = made[0].version, made[0].model_id
    else:
        signature = ModelSignature(
            Schema([TensorSpec(np.dtype(np.uint8), (-1, *image_shape))]),
            Schema([TensorSpec(np.dtype(np.float32), (-1, num_classes))]),
        )
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(serving_code),
            artifacts={"model": str(folder)},
            code_paths=[str(path) for path in packages],
            pip_requirements=["mlflow", "numpy", "safetensors", "scipy", "timm", "torch"],
            signature=signature,
            registered_model_name=name,
            tags={"anomaly.run": run.id},
        )
        version, model_id = info.registered_model_version, info.model_id
    tags = {CHAMPION_METRIC: f"{test_accuracy:.6f}", "anomaly.test_set": test_set, "champion_metric": CHAMPION_METRIC}
    for key, value in tags.items():
        client().set_model_version_tag(name, version, key, value)
    _crown(name, test_set)
    run.tag("anomaly.model", f"models:/{name}/{version}")
    run.tag("anomaly.model_id", model_id)
    return str(version)


def run_of_model(uri: str) -> str:
    """Id of the run that made a registered model, from `models:/NAME@ALIAS` or `models:/NAME/VERSION`."""
    name, at, alias = uri.removeprefix("models:/").partition("@")
    if not at:
        name, _, alias = name.partition("/")
    try:
        find = client().get_model_version_by_alias if at else client().get_model_version
        return find(name, alias).run_id
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise RunNotFound(f"there is no registered model '{uri}' ({str(error).splitlines()[0]})") from None


def model_folder(run: Run) -> Path:
    """A local copy of the model that a run logged: JSON and safetensors only, no code is run."""
    model_id = run.tags.get("anomaly.model_id")
    if model_id is None:
        raise RunNotFound(f"run {run.id} has logged no model")
    found = local_path(f"{client().get_logged_model(model_id).artifact_location}/artifacts/model")
    if found is None:
        raise RunNotFound(f"the model of run {run.id} cannot be fetched; train it again")
    return found


def _crown(name: str, test_set: str) -> None:
    """Point `@champion` at the best of all versions that were tested on this set."""
    versions = client().search_model_versions(f"name = '{name}'")
    rivals = [version for version in versions if version.tags.get("anomaly.test_set") == test_set]
    best = max(rivals, key=lambda version: (float(version.tags[CHAMPION_METRIC]), int(version.version)))
    client().set_registered_model_alias(name, "champion", best.version)

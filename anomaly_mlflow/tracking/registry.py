"""Registered models: weights and architecture as files, served by code, found by alias."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from anomaly_mlflow.errors import RunNotFound
from anomaly_mlflow.tracking.download import local_path
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import client

__all__ = ["model_folder", "pinned_model", "register_detector", "register_model", "run_of_model", "test_set_of_model"]

CODE = ["mlflow", "numpy", "scipy"]
"""What serving needs, beside what loads the files of the model."""

LONGEST_DESCRIPTION = 5000  # letters that MLflow's database takes


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
    signature = ModelSignature(
        Schema([TensorSpec(np.dtype(np.uint8), (-1, *image_shape))]),
        Schema([TensorSpec(np.dtype(np.float32), (-1, num_classes))]),
    )
    needed = [*CODE, "safetensors", "timm", "torch"]
    version, model_id = _logged(run, name, folder, serving_code, packages, signature, needed)
    _compete(name, version, "test_accuracy", test_accuracy, test_set)
    run.tag("anomaly.model", f"models:/{name}/{version}")
    run.tag("anomaly.model_id", model_id)
    return version


def register_detector(
    run: Run,
    name: str,
    folder: Path,
    *,
    serving_code: Path,
    packages: list[Path],
    columns: Sequence[str],
    card: str,
    f1: float,
    test_set: str,
) -> str:
    """Log the files of a detector as a pyfunc from code and register it; the version number comes back.

    columns: the signals that it reads; card: its model card (Markdown), shown with the version. `@champion` is the
    version of the highest F1 on untouched rows among all that were judged on the same rows.
    """
    signature = ModelSignature(
        Schema([ColSpec("double", column) for column in columns]),
        Schema([ColSpec("double", "probability"), ColSpec("boolean", "flagged")]),
    )
    needed = [*CODE, "pandas", "scikit-learn", "skops"]
    version, model_id = _logged(run, name, folder, serving_code, packages, signature, needed)
    client().update_model_version(name, version, card[:LONGEST_DESCRIPTION])
    _compete(name, version, "untouched_f1", f1, test_set)
    run.tag("anomaly.model", f"models:/{name}/{version}")
    run.tag("anomaly.model_id", model_id)
    return version


def run_of_model(uri: str) -> str:
    """Id of the run that made a registered model, from `models:/NAME@ALIAS` or `models:/NAME/VERSION`."""
    return _version_of(uri).run_id


def pinned_model(uri: str) -> str:
    """`models:/NAME/VERSION` of a registered model: an alias moves, a version stays. Raises RunNotFound."""
    found = _version_of(uri)
    return f"models:/{found.name}/{found.version}"


def test_set_of_model(uri: str) -> str:
    """Digest of the test set that a registered model was judged on, "" where it has none. Raises RunNotFound."""
    return _version_of(uri).tags.get("anomaly.test_set", "")


def model_folder(run: Run) -> Path:
    """A local copy of the model that a run logged: JSON and safetensors only, no code is run."""
    model_id = run.tags.get("anomaly.model_id")
    if model_id is None:
        raise RunNotFound(f"run {run.id} has logged no model")
    found = local_path(f"{client().get_logged_model(model_id).artifact_location}/artifacts/model")
    if found is None:
        raise RunNotFound(f"the model of run {run.id} cannot be fetched; train it again")
    return found


def _version_of(uri: str) -> ModelVersion:
    name, at, alias = uri.removeprefix("models:/").partition("@")
    if not at:
        name, _, alias = name.partition("/")
    try:
        find = client().get_model_version_by_alias if at else client().get_model_version
        return find(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise RunNotFound(f"there is no registered model '{uri}' ({str(error).splitlines()[0]})") from None


def _logged(
    run: Run,
    name: str,
    folder: Path,
    serving_code: Path,
    packages: list[Path],
    signature: ModelSignature,
    requirements: list[str],
) -> tuple[str, str]:
    """Version and model id of a folder that is logged and registered, by this process or an earlier one of the run."""
    # An earlier process may have died right after it registered the model.
    made = client().search_model_versions(f"name = '{name}' and run_id = '{run.id}'") if run.resumed else []
    if made:
        return str(made[0].version), made[0].model_id
    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(serving_code),
        artifacts={"model": str(folder)},
        code_paths=[str(path) for path in packages],
        pip_requirements=sorted(requirements),
        signature=signature,
        registered_model_name=name,
        tags={"anomaly.run": run.id},
    )
    return str(info.registered_model_version), info.model_id


def _compete(name: str, version: str, metric: str, value: float, test_set: str) -> None:
    """Note what a version reached, and point `@champion` at the best of all that were tested on this set."""
    tags = {metric: f"{value:.6f}", "anomaly.test_set": test_set, "champion_metric": metric}
    for key, text in tags.items():
        client().set_model_version_tag(name, version, key, text)
    versions = client().search_model_versions(f"name = '{name}'")
    rivals = [each for each in versions if each.tags.get("anomaly.test_set") == test_set]
    best = max(rivals, key=lambda each: (_share(each.tags.get(metric, "")), int(each.version)))
    client().set_registered_model_alias(name, "champion", best.version)


def _share(text: str) -> float:
    """What a tag says, in 0 .. 1; -1 for anything else, which whoever may change the version can have written."""
    with suppress(ValueError):
        if 0 <= float(text) <= 1:
            return float(text)
    return -1.0

"""Experiments by their name, and the one that this process works in."""

import os

from mlflow.entities import Experiment
from mlflow.environment_variables import MLFLOW_EXPERIMENT_ID, MLFLOW_EXPERIMENT_NAME
from mlflow.exceptions import MlflowException

from anomaly_mlflow.tracking.server import client

__all__ = ["experiment_id", "experiment_in_use", "named_experiment"]


def experiment_id(name: str) -> str:
    """Id of the experiment of this name, made where it is missing by whichever of several processes is first."""
    found = client().get_experiment_by_name(name)
    if found:
        return found.experiment_id
    try:
        return client().create_experiment(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return client().get_experiment_by_name(name).experiment_id


def named_experiment() -> Experiment | None:
    """The experiment that the environment names, or the default one; None where it is not made yet."""
    name = MLFLOW_EXPERIMENT_NAME.get()
    return client().get_experiment_by_name(name) if name else client().get_experiment(MLFLOW_EXPERIMENT_ID.get() or "0")


def experiment_in_use() -> str | None:
    """Id of the experiment that a step of this process writes in: that of `mlflow run`'s run, or the named one."""
    waiting = os.environ.get("MLFLOW_RUN_ID")
    if waiting:
        return client().get_run(waiting).info.experiment_id
    found = named_experiment()
    return found.experiment_id if found else None

"""Experiments by their name."""

from mlflow.exceptions import MlflowException

from anomaly_mlflow.tracking.server import client

__all__ = ["experiment_id"]


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

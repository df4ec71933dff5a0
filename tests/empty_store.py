"""Empty local stores: MLflow makes its database once, each test gets a copy."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import mlflow

__all__ = ["close_connections", "empty_store"]


def empty_store(folder: Path) -> mlflow.MlflowClient:
    """A client of a new `mlflow.db` in a folder; the artifacts of all copies lie in one folder of their own."""
    shutil.copy(Path(_template().name, "mlflow.db"), folder / "mlflow.db")
    return mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")


def close_connections():
    """MLflow keeps an engine for each address until the process ends."""
    from mlflow.store.model_registry import sqlalchemy_store as registry_store  # warns at import
    from mlflow.store.tracking import sqlalchemy_store

    for store in (sqlalchemy_store.SqlAlchemyStore, registry_store.SqlAlchemyStore):
        for engine in store._engine_map.values():
            engine.dispose()


@cache
def _template() -> tempfile.TemporaryDirectory:
    place, before = tempfile.TemporaryDirectory(), Path.cwd()
    os.chdir(place.name)  # where it is made decides where artifacts go
    try:
        mlflow.MlflowClient(f"sqlite:///{place.name}/mlflow.db").search_experiments()
    finally:
        os.chdir(before)
    return place

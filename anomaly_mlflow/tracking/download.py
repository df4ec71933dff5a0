"""Artifacts on this machine: in place where they lie here, otherwise fetched for as long as the process lives."""

import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import mlflow

from anomaly_mlflow.errors import RunNotFound
from anomaly_mlflow.tracking.server import clear_errors

__all__ = ["local_path"]


def local_path(uri: str) -> Path | None:
    """Where an artifact (any address that MLflow knows) can be read; None where there is none."""
    parsed = urlparse(uri)
    if parsed.scheme in ("", "file"):
        path = Path(url2pathname(parsed.path))
        return path if path.exists() else None
    try:
        with clear_errors():
            return Path(mlflow.artifacts.download_artifacts(uri, dst_path=tempfile.mkdtemp(dir=_cache().name)))
    except (RunNotFound, OSError):
        return None


@cache
def _cache() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="anomaly-mlflow-")

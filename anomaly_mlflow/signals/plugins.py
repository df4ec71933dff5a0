"""Signals of other packages: entry points of the group `anomaly_mlflow.signals` name modules that register them."""

import hashlib
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from inspect import getsourcefile
from pathlib import Path

from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.signals.base import SIGNALS

__all__ = ["load_plugins", "plugin_digests"]


def load_plugins() -> None:
    """Import every module that an installed package announces. Raises AnomalyError that names the one that fails."""
    for point in entry_points(group="anomaly_mlflow.signals"):
        try:
            point.load()
        except (Exception, SystemExit) as error:  # whatever a stranger's module raises
            package = point.dist.name if point.dist else point.value
            raise AnomalyError(
                f"the signals of package '{package}' cannot be loaded ({error!r}); mend or uninstall it"
            ) from None


def plugin_digests(names: Iterable[str]) -> dict[str, str]:
    """sha256 (hex) of the file of each of these signals that is not this package's own and has one."""
    functions = {name: SIGNALS[name].function for name in names}
    others = {name: f for name, f in functions.items() if not str(f.__module__).startswith("anomaly_mlflow.")}
    files = {name: file for name, f in others.items() if (file := _file(f))}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def _file(function: Callable) -> Path | None:
    try:
        found = getsourcefile(function)
    except TypeError:  # compiled
        found = None
    found = found or getattr(sys.modules.get(function.__module__), "__file__", None)
    return Path(found) if found and Path(found).is_file() else None

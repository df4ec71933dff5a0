"""Signals of other packages: entry points of the group `anomaly_mlflow.signals` name modules that register them."""

import hashlib
from collections.abc import Iterable
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
        except Exception as error:  # whatever a stranger's module raises
            package = point.dist.name if point.dist else point.value
            raise AnomalyError(
                f"the signals of package '{package}' cannot be loaded ({error!r}); mend or uninstall it"
            ) from None


def plugin_digests(names: Iterable[str]) -> dict[str, str]:
    """sha256 (hex) of the source file of each of these signals that is not this package's own."""
    functions = {name: SIGNALS[name].function for name in names}
    others = {name: f for name, f in functions.items() if not f.__module__.startswith("anomaly_mlflow.")}
    return {name: hashlib.sha256(Path(getsourcefile(f)).read_bytes()).hexdigest() for name, f in others.items()}

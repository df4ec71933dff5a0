"""Jobs on a user's own data: nothing is made wrong on the way unless that is asked for."""

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.run import Run
from entry_points.named_runs import is_default
from entry_points.noise_checks import SHARES, shares

__all__ = ["errors_made", "injecting"]


def injecting(options: dict) -> dict:
    """The options of the steps upstream: nothing is made wrong without inject=yes. Raises BadOption if it was asked."""
    if options["inject"] == "yes":
        return options
    none = dict.fromkeys(SHARES.values(), 0.0)
    asked = [name for name in (*none, "convention") if not is_default(name, options[name])]
    if asked and not options["noise_run"] and not options.get("repairs_run"):
        raise BadOption(f"{asked[0]}={options[asked[0]]} has no effect without inject=yes")
    return options | none | {"convention": "none"}


def errors_made(noise: Run) -> bool:
    """Whether this run was asked to make errors, by its options: its ledger is not read."""
    options = noise.json("config.json")
    made = {kind: share for kind, share in shares(options).items() if kind != AnomalyType.HARD}
    return options["convention"] != "none" or any(made.values())

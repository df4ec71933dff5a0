"""Jobs on a user's own data: nothing is made wrong on the way unless that is asked for."""

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.run import Run
from entry_points.named_runs import is_default
from entry_points.noise_checks import SHARES, shares

__all__ = ["errors_made", "injecting"]

MAKING = ("convention", "convention_rate", "ood")
"""Options beside the shares that matter only where errors are made."""


def injecting(options: dict) -> dict:
    """The options of the steps upstream: nothing is made wrong without inject=yes. Raises BadOption if it was asked.

    With it, and with labels that people gave or a convention, the shares are 0 but for those that were typed. A run
    that is named stays what it is.
    """
    if options["noise_run"] or options.get("repairs_run"):
        return options
    none = {name: 0.0 for name in SHARES.values() if is_default(name, options[name])}
    if options["inject"] == "yes":
        return options | (none if options["labels"] or options["convention"] != "none" else {})
    asked = [name for name in (*SHARES.values(), *MAKING) if not is_default(name, options[name])]
    if asked:
        raise BadOption(f"{asked[0]}={options[asked[0]]} has no effect without inject=yes")
    return options | none | {"convention": "none"}


def errors_made(noise: Run) -> bool:
    """Whether this run was asked to make errors, by its options: its ledger is not read."""
    options = noise.json("config.json")
    made = {kind: share for kind, share in shares(options).items() if kind != AnomalyType.HARD}
    return options["convention"] != "none" or any(made.values())

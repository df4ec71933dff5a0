"""Checks of the options of generate_noise before anything is made."""

import numpy as np

from anomaly_mlflow.anomalies.plan import LABEL_TYPES, check_shares
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.errors import BadOption

__all__ = ["SHARES", "check_noise", "check_strangers", "columns", "convention_of", "shares"]

SHARES = {
    AnomalyType.NEAR_MISS: "near_miss_share",
    AnomalyType.GROSS: "gross_share",
    AnomalyType.RANDOM_FLIP: "random_flip_share",
    AnomalyType.OOD: "ood_share",
    AnomalyType.HARD: "hard_share",
}
# Option that names a table of human labels -> how many columns, in words too.
COLUMNS = {
    "labels": (1, 1, "one column"),
    "confusion": (2, 2, "two columns"),
    "raters": (3, 100, "three or more columns"),
}


def shares(options: dict) -> dict[AnomalyType, float]:
    """Share of each type; with a convention those of the label errors are 0."""
    replaced = LABEL_TYPES if convention_of(options) else ()
    return {kind: 0.0 if kind in replaced else options[name] for kind, name in SHARES.items()}


def convention_of(options: dict) -> str | None:
    """The name of the convention, if there is one."""
    return None if options["convention"] == "none" else options["convention"]


def columns(spec: str) -> list[str]:
    """The columns that a spec of human labels names."""
    _, mark, names = spec.rpartition("#")
    return names.split(",") if mark else [""]


def check_noise(options: dict) -> None:
    """Raises BadOption for shares that do not fit, options that need or exclude each other, and unfit strangers."""
    asked = shares(options)
    check_shares(asked)
    if sum(asked.values()) > 0.9:
        raise BadOption("the shares of all types leave too few clean rows for a clean side; lower them to 0.9 in all")
    check_strangers(options["dataset"], options["ood"].split("|"))
    _check_hard(options)
    _check_people(options)


def check_strangers(dataset: str, sources: list[str]) -> None:
    """Raises BadOption where images of no class would come from the set itself, or twice from one source."""
    host, _, part = dataset.partition("?")
    for source in sources:
        other, _, other_part = source.partition("?")
        # Two parts of one file may differ in their classes; the whole file holds every part.
        if host == other and (part == other_part or not (part and other_part)):
            raise BadOption(f"ood={source} is the data set itself; name images of no class")
    if len(set(sources)) < len(sources) or not all(sources):
        raise BadOption(f"ood={'|'.join(sources)} names a source twice, or none between two |; name each once")


def _check_hard(options: dict) -> None:
    if options["near_miss_from"] != "hard_quantile":
        return
    if options["hard_by"] == "raters":
        raise BadOption("near_miss_from=hard_quantile goes with hard_by=margin or boundary, not with raters")
    if not shares(options)[AnomalyType.NEAR_MISS]:
        raise BadOption("near_miss_from=hard_quantile has no effect without near misses; use near_miss_from=any")


def _check_people(options: dict) -> None:
    users = {
        "confusion": ("near_table=human", "gross_table=human", "convention=human_confusion"),
        "raters": ("hard_by=raters",),
    }
    for name, uses in users.items():
        used = [use for use in uses if options[use.partition("=")[0]] == use.partition("=")[2]]
        if used and not options[name]:
            raise BadOption(f"{used[0]} needs the option {name}; name {COLUMNS[name][2]}: parquet:PATH#COLUMN,...")
        if options[name] and not used:
            raise BadOption(f"{name} has no effect without {' or '.join(uses)}")
    for name, (least, most, words) in COLUMNS.items():
        if not options[name]:
            continue
        if not least <= len(columns(options[name])) <= most or not all(columns(options[name])):
            raise BadOption(f"{name}={options[name]} must name {words}, as in parquet:PATH#COLUMN,...")
        if len(set(columns(options[name]))) < len(columns(options[name])):
            raise BadOption(f"{name}={options[name]} names a column twice; each person counts once")
        # Read for no sample: a file or column that is missing is told before anything is trained.
        human_labels(options[name], np.empty(0, np.int64), ("",))

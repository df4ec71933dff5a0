"""A figure of the report beside ours, and the rule by which it counts as reproduced.

A number: *yes* where our whole 95 % interval lies within the tolerance around the report's, *no* where it lies wholly
outside, *undecided* otherwise, and where ours was measured on other data or otherwise. A direction: *yes* where
our whole interval lies above the bound, *no* where it lies wholly below, *undecided* otherwise.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.data.names import CIFAR10
from anomaly_mlflow.detection.statistics import Interval, equivalent, exceeds

__all__ = ["COLUMNS", "REPRODUCED", "direction", "is_reports_data", "number", "report_table"]

COLUMNS = ["figure", "report", "ours", "low", "high", "n", "verdict", "why"]
REPRODUCED = {True: "yes", False: "no", None: "undecided"}


def is_reports_data(classes: Sequence[str]) -> bool:
    """Whether these are the classes of CIFAR-10, the report's data."""
    return set(classes) == set(CIFAR10)


def number(
    figure: str, report: float, ours: Interval | None, tolerance: float, n: int, how: str, *, comparable: bool = True
) -> dict[str, object]:
    """A row for a number of the report. how: on what ours was measured; comparable: on its data, with its settings.

    ours None: there is nothing to measure here, and how says why.
    """
    if ours is None:
        return _row(figure, report, Interval(np.nan, np.nan, np.nan), n, None, how)
    if not comparable:
        why = f"other data than the report's CIFAR-10, or other settings: no comparison; {how}"
        return _row(figure, report, ours, n, None, why)
    holds = equivalent(ours, report - tolerance, report + tolerance)
    said = {True: "our whole interval lies", False: "our whole interval lies not", None: "our interval lies partly"}
    return _row(figure, report, ours, n, holds, _why(ours, f"{said[holds]} within {tolerance:g} of the report's", how))


def direction(
    figure: str, ours: Interval | None, n: int, how: str, *, report: float = np.nan, above: float = 0.0
) -> dict[str, object]:
    """A row for a direction that the report claims: our interval must lie above the bound.

    report: the difference that its own numbers give, NaN where it gives none.
    """
    if ours is None:
        return _row(figure, report, Interval(np.nan, np.nan, np.nan), n, None, how)
    holds = exceeds(ours, above, strict=True)
    said = {True: "our whole interval lies above", False: "our whole interval lies below", None: "our interval holds"}
    return _row(figure, report, ours, n, holds, _why(ours, f"{said[holds]} {above:g}", how))


def report_table(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """The rows as a frame with the columns figure, report, ours, low, high (95 %), n, verdict, why."""
    return pd.DataFrame(rows, columns=COLUMNS)


def _why(ours: Interval, said: str, how: str) -> str:
    return f"{'too few images for an interval' if np.isnan(ours.low) else said}; {how}"


def _row(figure: str, report: float, ours: Interval, n: int, holds: bool | None, why: str) -> dict[str, object]:
    values = (figure, report, ours.value, ours.low, ours.high, n, REPRODUCED[holds], why)
    return dict(zip(COLUMNS, values, strict=True))

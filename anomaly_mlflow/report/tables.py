"""Tables of the page, cell by cell, with the colour of each cell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.explain import Explanation
from anomaly_mlflow.signals import SIGNALS

__all__ = ["Cell", "confusion", "heat_rows", "signal_note", "verdict_rows"]

ABOVE, BELOW = (203, 92, 13), (61, 100, 168)


@dataclass(frozen=True)
class Cell:
    """Text and CSS colour of a cell."""

    text: str
    color: str = "transparent"


def heat_rows(table: pd.DataFrame) -> list[tuple[str, list[Cell]]]:
    """Signals by family with one cell per type, from the table of `auroc_by_type`: orange above .5, blue below."""
    by_family = sorted(table.index, key=lambda name: str(name).partition(".")[0])
    return [(str(name), [_heat(value) for value in table.loc[name]]) for name in by_family]


def confusion(found: Explanation, types: np.ndarray) -> list[tuple[str, int, list[Cell]]]:
    """Per true type its number of rows and the share that the type classifier calls each type (held out)."""
    called = found.called
    rows = []
    for kind in found.types:
        of_type = called[types == kind]
        shares = np.bincount(of_type, minlength=len(found.types)) / max(1, len(of_type))
        if len(of_type):
            rows.append((kind, len(of_type), [Cell(f"{share:.0%}", _tint(ABOVE, 0.75 * share)) for share in shares]))
    return rows


def signal_note(column: str) -> str:
    """First line of what the signal's own documentation says, and where it is from; empty for a stranger."""
    known = SIGNALS.get(column.partition(".")[2])
    if known is None:
        return ""
    first = (known.function.__doc__ or "").strip().partition("\n")[0]
    return f"{first} [{known.source}]"


def verdict_rows(verdicts: pd.DataFrame) -> list[dict[str, str | bool]]:
    """The frame of `judge` as text."""
    rows = []
    for row in verdicts.itertuples():
        whole, empty = row.metric == "verdict", np.isnan(row.value)
        rows.append(
            {
                "claim": row.claim,
                "arm": row.arm,
                "metric": _spoken(row.metric),
                "value": "" if empty else f"{row.value:.3f}",
                "ends": "" if empty else _ends(row.low, row.high),
                "n": "" if whole else f"{row.n:,}",
                "verdict": row.verdict if isinstance(row.verdict, str) else "",
                "whole": whole,
            }
        )
    return rows


def _ends(low: float, high: float) -> str:
    return "too few sources" if np.isnan(low) else f"{low:.3f} to {high:.3f}"


def _spoken(metric: str) -> str:
    pair, _, measure = metric.replace("_", " ").partition(".")
    return f"{pair.replace('ood', 'OOD')}: {measure.replace('auroc', 'AUROC').replace('f1', 'F1')}"


def _heat(value: float) -> Cell:
    if np.isnan(value):
        return Cell("–")
    return Cell(f"{value:.2f}", _tint(ABOVE if value > 0.5 else BELOW, 1.6 * abs(value - 0.5)))


def _tint(color: tuple[int, int, int], strength: float) -> str:
    return f"rgba({color[0]},{color[1]},{color[2]},{min(1.0, strength):.2f})"

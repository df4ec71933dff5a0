"""The runs of a study's cells and seeds: found again by their fingerprint, or made side by side under one bar."""

from tqdm import tqdm

from anomaly_mlflow.tracking.run import Run
from entry_points.resolve import resolve_each
from entry_points.step import STEPS

__all__ = ["child_runs"]

LINES = 8
"""Bars of single runs below the one of all of them."""


def child_runs(name: str, variants: list[dict], run: Run, *, unit: str = "training") -> list[Run]:
    """A run of this step for each of these options, in their order; run: the study's own, their parent."""
    with tqdm(total=len(variants), desc=f"{unit}s", unit=unit, position=0, disable=None) as bar:
        placed = [one | {"bar": 1 + number % LINES} for number, one in enumerate(variants)]
        made = []
        for found in resolve_each(STEPS[name], placed, run):
            made.append(Run(found))
            bar.update()
    return made

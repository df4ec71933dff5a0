"""Figures of cleaners, noise by noise and over seeds, as one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.base import find_cleaner
from anomaly_mlflow.studies.resampled import Resampled, over_seeds

__all__ = ["NoiseResult", "cleaners_table", "summarise", "wide_table"]

SHOWN = ("auroc", "average_precision", "f1", "repair_accuracy", "coverage", "changed", "cpu_seconds")


@dataclass(frozen=True)
class NoiseResult:
    """One noise over its seeds.

    figures: `cleaner.measure`; facts: real rate, rows; seconds: CPU seconds by cleaner; unanswered: cleaner -> why it
    could not answer.
    """

    noise: str
    figures: Resampled
    seeds: int
    facts: Mapping[str, float]
    seconds: Mapping[str, float]
    unanswered: Mapping[str, str] = field(default_factory=dict)


def summarise(
    noise: str,
    seeds: Sequence[Resampled],
    facts: Sequence[Mapping],
    seconds: Sequence[Mapping],
    seed: int = 0,
    unanswered: Mapping[str, str] | None = None,
) -> NoiseResult:
    """Means over the seeds of one noise, each of which has draws of its own; NaN where a seed lacks a figure."""
    names = list(dict.fromkeys(name for one in seeds for name in one.value.index))
    alike = [Resampled(one.value.reindex(names), one.draws.reindex(columns=names)) for one in seeds]
    return NoiseResult(noise, over_seeds(alike, seed), len(seeds), _mean(facts), _mean(seconds), unanswered or {})


def cleaners_table(results: Sequence[NoiseResult]) -> pd.DataFrame:
    """noise, rate (real, of all labels), cleaner, mechanism, reconstruction, measure, value, low, high, seeds.

    95 % percentile intervals over seeds and groups of rows; of the measure cpu_seconds (mean over seeds) none.
    """
    rows = []
    for one in results:
        own = []
        for column in one.figures.draws:
            name, _, measure = column.rpartition(".")
            own.append(_row(one, name, measure, *vars(one.figures.interval(column)).values()))
        own += [_row(one, name, "cpu_seconds", value, np.nan, np.nan) for name, value in one.seconds.items()]
        rows += sorted(own, key=lambda row: row["cleaner"])
    return pd.DataFrame(rows)


def wide_table(table: pd.DataFrame) -> pd.DataFrame:
    """A line for each noise and cleaner, best average precision first: noise, rate, cleaner, and what is `SHOWN`."""
    keys = ["noise", "rate", "cleaner"]
    lines = table.pivot(index=keys, columns="measure", values="value").reset_index()
    lines = lines[[*keys, *(name for name in SHOWN if name in lines)]].rename_axis(columns=None)
    order = {name: place for place, name in enumerate(dict.fromkeys(table["noise"]))}
    by = lines.get("average_precision", pd.Series(0.0, lines.index)).fillna(-1.0)
    return lines.assign(_noise=lines["noise"].map(order), _by=-by).sort_values(["_noise", "_by"])[lines.columns]


def _row(one: NoiseResult, name: str, measure: str, value: float, low: float, high: float) -> dict[str, object]:
    known = find_cleaner(name)
    return {
        "noise": one.noise,
        "rate": one.facts["rate"],
        "cleaner": name,
        "mechanism": known.mechanism,
        "reconstruction": known.reconstruction,
        "measure": measure,
        "value": value,
        "low": low,
        "high": high,
        "seeds": one.seeds,
    }


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for one in parts for name in one)
    return {name: float(np.mean([one[name] for one in parts if name in one])) for name in names}

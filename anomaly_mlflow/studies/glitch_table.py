"""Cells of the glitch study, seed by seed -> figures with intervals over seeds and rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.characterisation import share

__all__ = ["KEYS", "SeedResult", "Summary", "counts_table", "seconds_table", "signals_table", "summarise", "wide"]

KEYS = ["dataset", "model", "glitch", "ratio", "reference_noise"]


@dataclass(frozen=True)
class SeedResult:
    """One training. values, draws: as `Measured`; counts: name -> hits, of; count_draws: as the function of this name;
    facts: test_accuracy, ceiling, n_errors, n, fitted.KIND (shares and counts of rows); seconds: part -> seconds."""

    values: pd.DataFrame
    draws: pd.DataFrame
    counts: Mapping[str, tuple[int, int]]
    count_draws: pd.DataFrame
    facts: Mapping[str, float]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Summary:
    """A cell over its seeds. key: KEYS -> value; value, draws: by `signal.measure`, mean over seeds; counts: pooled;
    share_draws: their shares, by name."""

    key: Mapping[str, object]
    seeds: int
    value: pd.Series
    draws: pd.DataFrame
    counts: Mapping[str, tuple[int, int]]
    share_draws: pd.DataFrame
    facts: Mapping[str, float]
    seconds: Mapping[str, float]

    def interval(self, column: str) -> Interval:
        """95 % percentile interval of one figure; NaN ends where a seed has too few rows of a kind for one."""
        return _ends(self.value[column], self.draws[column])

    def difference(self, column: str, others: Sequence[str]) -> Interval:
        """This figure less the best of the others, in the same draws."""
        drawn = self.draws[column] - self.draws[list(others)].max(axis=1)
        return _ends(self.value[column] - self.value[list(others)].max(), drawn)

    def share(self, name: str) -> Interval:
        """A share of counted rows; the rows of all seeds are worth as many as the draws' variance says."""
        return share(*self.counts[name], self.share_draws[name].var())


def summarise(key: Mapping[str, object], seeds: Sequence[SeedResult], seed: int = 0) -> Summary:
    """Means over seeds; a draw takes one seed fewer than there are, with replacement, and of each its draw of rows.

    Where the draws share images (see `detection.shared_draws`), an image that stands in several seeds weighs the same
    in all of them within a draw. For one seed fewer see `detection.statistics`.
    """
    generator, number = np.random.default_rng(seed), len(seeds)
    size = max(1, number - 1)
    draws = len(seeds[0].draws)
    weights = generator.multinomial(size, np.full(number, 1 / number), size=draws) / size
    columns = list(seeds[0].draws.columns)
    stacked = np.stack([one.draws[columns].to_numpy(np.float64) for one in seeds])
    mixed = np.einsum("ds,sdc->dc", weights, stacked)
    counted = sum(one.count_draws.mul(weights[:, row], axis=0) for row, one in enumerate(seeds))
    values = [pd.Series(one.values["value"].to_numpy(), _columns(one.values)) for one in seeds]
    return Summary(
        key,
        number,
        sum(values)[columns] / number,
        pd.DataFrame(mixed, columns=columns),
        _pooled([one.counts for one in seeds]),
        pd.DataFrame({name: counted[f"{name}.hits"] / counted[f"{name}.of"] for name in seeds[0].counts}),
        _mean([one.facts for one in seeds]),
        _mean([one.seconds for one in seeds]),
    )


def signals_table(summaries: Sequence[Summary]) -> pd.DataFrame:
    """A row for each cell, signal and measure: KEYS, signal, measure, value, low, high, seeds."""
    rows = []
    for one in summaries:
        for column in one.draws:
            ends = one.interval(column)
            rows.append((*one.key.values(), *column.split("."), ends.value, ends.low, ends.high, one.seeds))
    return pd.DataFrame(rows, columns=[*KEYS, "signal", "measure", "value", "low", "high", "seeds"])


def counts_table(summaries: Sequence[Summary]) -> pd.DataFrame:
    """Characterisation and repair: KEYS, measure, value, low, high (see `characterisation.share`), hits, of."""
    rows = []
    for one in summaries:
        for name, (hits, of) in one.counts.items():
            ends = one.share(name)
            rows.append((*one.key.values(), name, ends.value, ends.low, ends.high, hits, of))
    return pd.DataFrame(rows, columns=[*KEYS, "measure", "value", "low", "high", "hits", "of"])


def seconds_table(summaries: Sequence[Summary]) -> pd.DataFrame:
    """Mean seconds of a training's parts by data set and model, and of all but training as a share of training."""
    frame = pd.DataFrame([{**one.key, **one.seconds} for one in summaries])
    parts = [name for name in frame.columns if name not in KEYS]
    table = frame.groupby(["dataset", "model"], sort=False)[parts].mean()
    others = table.drop(columns="training").sum(axis=1)
    return table.assign(**{"share of training": others / table["training"]}).reset_index()


def wide(table: pd.DataFrame, summaries: Sequence[Summary], measure: str = "f1_known") -> pd.DataFrame:
    """A line for each cell: test accuracy, the ceiling of F1 and one measure of every signal."""
    own = table[table["measure"] == measure]
    told = [{**one.key, **{name: one.facts[name] for name in ("test_accuracy", "ceiling")}} for one in summaries]
    lines = own.pivot(index=KEYS, columns="signal", values="value")[list(dict.fromkeys(own["signal"]))]
    return pd.DataFrame(told).merge(lines.reset_index(), on=KEYS)


def _ends(value: float, drawn: pd.Series) -> Interval:
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if drawn.notna().any() else (np.nan, np.nan)
    return Interval(float(value), float(low), float(high))


def _columns(values: pd.DataFrame) -> pd.Series:
    return values["signal"] + "." + values["measure"]


def _pooled(counts: Sequence[Mapping[str, tuple[int, int]]]) -> dict[str, tuple[int, int]]:
    return {name: tuple(sum(part) for part in zip(*(one[name] for one in counts), strict=True)) for name in counts[0]}


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in parts])) for name in parts[0]}

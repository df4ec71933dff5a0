"""Which source a fused network follows where they contradict each other: shares with intervals.

Contradictory pairs are the same in all cells and seeds. An interval draws seeds, then within each image class the
source groups (`detection.statistics`), and is widened to Wilson's of one training on as many pairs as there are groups:
where all pairs end alike, no draw differs from another, and the bootstrap alone would claim certainty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.measures import Measure
from anomaly_mlflow.detection.statistics import Interval, interval
from anomaly_mlflow.studies.characterisation import share
from anomaly_mlflow.studies.fusion_grid import Cell

__all__ = [
    "OUTCOMES",
    "CellResult",
    "Pairs",
    "attribution_table",
    "facts_table",
    "less_metadata",
    "outcomes",
    "seeds_table",
    "shares",
    "shares_table",
]

OUTCOMES = ("metadata", "visual", "confused")


@dataclass(frozen=True)
class Pairs:
    """Contradictory pairs: class of the image, class that the metadata name, source group; int64 (n,) each."""

    image_class: np.ndarray
    metadata_class: np.ndarray
    groups: np.ndarray

    @property
    def images(self) -> int:
        """Number of source groups."""
        return len(np.unique(self.groups))


@dataclass(frozen=True)
class CellResult:
    """A cell over its seeds.

    outcome: int64 (seeds, n), positions in `OUTCOMES`; attribution: `conflict` and `consistent` -> share of the
    predicted logit that metadata account for, float64 (seeds, n), of the pairs and of their images with metadata of
    their own class. facts: of each seed, name -> value.
    """

    cell: Cell
    outcome: np.ndarray
    attribution: Mapping[str, np.ndarray]
    facts: Sequence[Mapping[str, float]]


def outcomes(predicted: np.ndarray, pairs: Pairs) -> np.ndarray:
    """0 where the metadata's class was predicted, 1 where the image's, 2 elsewhere; int64, of predictions (..., n)."""
    return np.where(predicted == pairs.metadata_class, 0, np.where(predicted == pairs.image_class, 1, 2))


def shares(outcome: np.ndarray, pairs: Pairs, *, draws: int = 2000, seed: int = 0) -> dict[str, Interval]:
    """Mean share of each outcome over seeds, with its 95 % interval. outcome: int64 (seeds, n)."""
    found = _intervals(outcome[..., None] == np.arange(len(OUTCOMES)), pairs, draws, seed)
    return {name: _widened(ends, pairs.images) for name, ends in zip(OUTCOMES, found, strict=True)}


def less_metadata(
    outcome: np.ndarray, plain: np.ndarray, pairs: Pairs, *, draws: int = 2000, seed: int = 0
) -> Interval:
    """Metadata share of the plain training less that of another, paired by seed and pair, with its 95 % interval.

    Widened to that of one training on as many pairs as there are images by Agresti and Min (2005), Statistics in
    Medicine 24: half a pair is added to each cell of the two by two table, so that few changed pairs prove nothing.
    """
    difference = (plain == 0).astype(np.float64) - (outcome == 0)
    ends = _intervals(difference[..., None], pairs, draws, seed)[0]
    lost, gained, n = (*(pairs.images * (difference == sign).mean() + 0.5 for sign in (1, -1)), pairs.images + 2)
    middle, half = (lost - gained) / n, 1.96 * np.sqrt(lost + gained - (lost - gained) ** 2 / n) / n
    return replace(ends, low=min(ends.low, float(middle - half)), high=max(ends.high, float(middle + half)))


def shares_table(results: Sequence[CellResult], pairs: Pairs, *, draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    """A row for each cell and outcome: cell, factor, level, outcome, value, low, high, n (pairs), images, seeds."""
    rows = []
    for one in results:
        size = (len(pairs.groups), pairs.images, len(one.outcome))
        for name, ends in shares(one.outcome, pairs, draws=draws, seed=seed).items():
            rows.append((*_key(one.cell), name, ends.value, ends.low, ends.high, *size))
    columns = ["cell", "factor", "level", "outcome", "value", "low", "high", "n", "images", "seeds"]
    return pd.DataFrame(rows, columns=columns)


def seeds_table(results: Sequence[CellResult], first_seed: int = 0) -> pd.DataFrame:
    """What each training says by itself: cell, training_seed, outcome, hits, n, value, low, high (Wilson 1927).

    Pairs count as independent of each other, as in the report that is set beside; they are where no image comes twice.
    """
    rows = []
    for one in results:
        for number, outcome in enumerate(one.outcome):
            for position, name in enumerate(OUTCOMES):
                hits = int((outcome == position).sum())
                ends = share(hits, len(outcome))
                row = (one.cell.name, first_seed + number, name, hits, len(outcome), ends.value, ends.low, ends.high)
                rows.append(row)
    return pd.DataFrame(rows, columns=["cell", "training_seed", "outcome", "hits", "n", "value", "low", "high"])


def attribution_table(results: Sequence[CellResult], pairs: Pairs, *, draws: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Mean share of the predicted logit that metadata account for: cell, pairs, value, low, high, n, seeds."""
    rows = []
    for one in results:
        for kind, found in one.attribution.items():
            ends = _intervals(found[..., None], pairs, draws, seed)[0]
            rows.append((one.cell.name, kind, ends.value, ends.low, ends.high, found.shape[1], len(found)))
    return pd.DataFrame(rows, columns=["cell", "pairs", "value", "low", "high", "n", "seeds"])


def facts_table(results: Sequence[CellResult]) -> pd.DataFrame:
    """A line for each cell: its name, and the mean over seeds of each fact."""
    return pd.DataFrame([{"cell": one.cell.name, **pd.DataFrame(list(one.facts)).mean()} for one in results])


def _key(cell: Cell) -> tuple[str, str, float]:
    return cell.name, cell.factor, cell.level


def _intervals(values: np.ndarray, pairs: Pairs, draws: int, seed: int) -> list[Interval]:
    """Mean and interval of each quantity; values (seeds, n, quantities)."""
    return interval(_mean_of(values.astype(np.float64)), pairs.image_class, pairs.groups, draws=draws, seed=seed)


def _mean_of(values: np.ndarray) -> Measure:
    def measure(weights: np.ndarray) -> np.ndarray:
        return np.einsum("dn,snk->dsk", weights, values, optimize=True) / weights.sum(axis=1)[:, None, None]

    return measure


def _widened(ends: Interval, images: int) -> Interval:
    wilson = share(round(ends.value * images), images)
    return replace(ends, low=min(ends.low, wilson.low), high=max(ends.high, wilson.high))

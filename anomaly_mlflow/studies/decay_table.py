"""Decays of several models as tables: every point of the curves, and one line of summary for each corruption."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.graded_corruptions import Corruption
from anomaly_mlflow.studies.decay import MEASURES, SIMILARITIES, Decay, area, at_similarity

__all__ = ["decay_table", "equal_table", "largest_rise", "summary_table"]


def decay_table(decays: Sequence[Decay], corruptions: Sequence[Corruption]) -> pd.DataFrame:
    """A row for each point: model, corruption, severity, unit, similarity, measure, value, low, high, seeds, n."""
    rows = []
    for one in decays:
        for corruption in corruptions:
            for level, severity in enumerate(corruption.severities):
                for measure in MEASURES:
                    ends = one.figures.interval(f"{corruption.name}.{level}.{measure}")
                    place = (one.model, corruption.name, float(severity), corruption.unit)
                    likeness = float(one.similarity[corruption.name][level])
                    rows.append((*place, likeness, measure, ends.value, ends.low, ends.high, one.seeds, one.rows))
    names = ["model", "corruption", "severity", "unit", "similarity", "measure", "value", "low", "high", "seeds", "n"]
    return pd.DataFrame(rows, columns=names)


def summary_table(decays: Sequence[Decay], corruptions: Sequence[Corruption]) -> pd.DataFrame:
    """A row for each model and corruption: clean and worst accuracy, area under the curve (mean over severities),
    lowest similarity, and `largest_rise`; the area with its ends."""
    rows = []
    for one in decays:
        for corruption in corruptions:
            ends = one.figures.of(partial(area, corruption=corruption))
            last = len(corruption.severities) - 1
            clean, worst = (one.figures.value[f"{corruption.name}.{level}.accuracy"] for level in (0, last))
            lowest = float(one.similarity[corruption.name].min())
            rise = largest_rise(one, corruption)
            rows.append((one.model, corruption.name, clean, worst, ends.value, ends.low, ends.high, lowest, *rise))
    names = ["model", "corruption", "clean", "worst", "area", "low", "high", "lowest SSIM", "rise", "rise_low"]
    return pd.DataFrame(rows, columns=names)


def equal_table(decays: Sequence[Decay], corruptions: Sequence[Corruption]) -> pd.DataFrame:
    """Accuracy at equal distortion, a row for each model, corruption and SSIM that it reaches: value, low, high, lost.

    lost: clean accuracy less that value.
    """
    rows = []
    for one in decays:
        for corruption in corruptions:
            similarity = one.similarity[corruption.name]
            for wanted in SIMILARITIES:
                if wanted >= similarity.min():
                    how = {"corruption": corruption, "similarity": similarity, "wanted": wanted}
                    ends = one.figures.of(partial(at_similarity, **how))
                    clean = one.figures.value[f"{corruption.name}.0.accuracy"]
                    rows.append(
                        (one.model, corruption.name, wanted, ends.value, ends.low, ends.high, clean - ends.value)
                    )
    return pd.DataFrame(rows, columns=["model", "corruption", "similarity", "value", "low", "high", "lost"])


def largest_rise(one: Decay, corruption: Corruption) -> tuple[float, float]:
    """Largest rise of accuracy from one severity to the next, and the largest of the lower ends of all rises.

    The end, one-sided at 5 % over all steps together (Bonferroni), lies at or below 0 where the curve falls within
    noise.
    """
    names = [f"{corruption.name}.{level}.accuracy" for level in range(len(corruption.severities))]
    steps = list(pairwise(names))
    value = max(one.figures.value[b] - one.figures.value[a] for a, b in steps)
    drawn = np.stack([one.figures.draws[b] - one.figures.draws[a] for a, b in steps])
    return float(value), float(np.quantile(drawn, 0.05 / len(steps), axis=1).max())

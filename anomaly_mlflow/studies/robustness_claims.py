"""The report's figures of Experiment I beside ours, and its directions as claims, fixed before the data is seen."""

from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd

from anomaly_mlflow.anomalies.graded_corruptions import Corruption
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.decay import Decay, area, down_to
from anomaly_mlflow.studies.report_table import direction, number, report_table

__all__ = ["noise_and_blur", "robustness_report"]

BASELINE, TOLERANCE = 0.85, 0.02
NOISE, BLUR = "gaussian_noise", "gaussian_blur"


def robustness_report(decays: Sequence[Decay], corruptions: Sequence[Corruption], *, comparable: bool) -> pd.DataFrame:
    """The rows of `report_table` for all models. comparable: whether the data are the report's."""
    known = {one.name: one for one in corruptions}
    return report_table([row for one in decays for row in _rows(one, known, comparable)])


def noise_and_blur(one: Decay, noise: Corruption, blur: Corruption) -> tuple[Interval, float]:
    """Mean accuracy under blur less that under noise over all SSIM that both reach, and the lowest of these."""
    likeness = one.similarity[noise.name], one.similarity[blur.name]
    floor = float(max(each.min() for each in likeness))

    def gap(figures: pd.DataFrame) -> pd.Series:
        return down_to(figures, blur, likeness[1], floor) - down_to(figures, noise, likeness[0], floor)

    return one.figures.of(gap), floor


def _rows(one: Decay, known: dict[str, Corruption], comparable: bool) -> Iterator[dict]:
    where = f"{one.model}, {one.facts['trained on']}, {one.seeds} {'model' if one.seeds == 1 else 'seeds'}"
    first = next(iter(known))
    clean = one.figures.interval(f"{first}.0.accuracy")
    told = f"ResNet-18 and probably 50,000 images there; here {where}"
    if not one.model.startswith("models:/"):
        yield number("baseline accuracy", BASELINE, clean, TOLERANCE, one.rows, told, comparable=comparable)
    for name in (NOISE, BLUR):
        if name in known:
            drop = one.figures.of(partial(_lost, corruption=known[name]))
            how = f"clean accuracy less the mean over all severities; {where}"
            yield direction(f"accuracy falls under {name}", drop, one.rows, how)
    if NOISE in known and BLUR in known:
        ends, floor = noise_and_blur(one, known[NOISE], known[BLUR])
        how = f"mean accuracy under blur less that under noise, over SSIM 1 to {floor:.2f}; {where}"
        yield direction("noise costs more than blur at equal SSIM", ends, one.rows, how)


def _lost(figures: pd.DataFrame, corruption: Corruption) -> pd.Series:
    return figures[f"{corruption.name}.0.accuracy"].to_numpy() - area(figures, corruption)

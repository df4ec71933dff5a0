"""Anchor hallucination beside what does without a part of it, and with one setting changed: paired differences."""

from collections.abc import Sequence

import pandas as pd

from anomaly_mlflow.cleaning.anchor_ablation import ABLATIONS, ARGMAX, BASELINES, LEARNED, LINEAR
from anomaly_mlflow.studies.cleaner_measures import WITH
from anomaly_mlflow.studies.cleaner_table import NoiseResult

__all__ = ["CHANGED_BY_SETTING", "COMPARED", "ablation_table", "baselines_table", "earns_its_place"]

BOTH = "where both change"
COMPARED = {
    "average_precision": "average precision of 1 - trust",
    "repair_accuracy": "share of the changed labels that are right afterwards, each on the labels that it changes",
    BOTH: "repair accuracy on the labels that both change",
    "mended": "share of the wrong labels that are right afterwards",
}
"""Higher = better, all of them."""

POINT = 0.01
"""Less than this is no lead: an interval above zero may rest on one row on which two cleaners differ."""

CHANGED_BY_SETTING = ("average_precision", "repair_accuracy", "coverage", "mended", "broken")


def baselines_table(results: Sequence[NoiseResult]) -> pd.DataFrame:
    """Each of `BASELINES` beside its cleaner, of the noises with wrong labels where all three were scored.

    Columns: noise, cleaner, beside, measure (`COMPARED`), value, value_beside, difference, low, high, seeds. The ends
    are those of the difference: 95 %, of the same draws of seeds and rows.
    """
    rows = []
    for one in results:
        known = set(one.figures.value.index)
        if not all(f"{name}.average_precision" in known for name in (LEARNED, LINEAR, ARGMAX)):
            continue
        for name, other in BASELINES:
            for measure in COMPARED:
                own, beside = _figures(name, other, measure)
                keys = {"noise": one.noise, "cleaner": name, "beside": other, "measure": measure}
                values = {"value": one.figures.value[own], "value_beside": one.figures.value[beside]}
                rows.append(keys | values | _difference(one, own, beside) | {"seeds": one.seeds})
    return pd.DataFrame(rows)


def ablation_table(results: Sequence[NoiseResult]) -> pd.DataFrame:
    """A row for each noise, changed setting and measure, of the changes that were scored with their default.

    Columns: noise, cleaner, setting, value_of_setting, measure (`CHANGED_BY_SETTING` as far as it was measured), value,
    default (the measure without the change), difference (to it), low, high (95 %, of the same draws), seeds.
    """
    rows = []
    for one in results:
        known = set(one.figures.value.index)
        for name, change in ABLATIONS.items():
            for measure in CHANGED_BY_SETTING:
                own, default = f"{name}.{measure}", f"{change.of}.{measure}"
                if {own, default} <= known:
                    keys = {"noise": one.noise, "cleaner": change.of, "setting": change.field}
                    keys |= {"value_of_setting": change.setting, "measure": measure}
                    values = {"value": one.figures.value[own], "default": one.figures.value[default]}
                    rows.append(keys | values | _difference(one, own, default) | {"seeds": one.seeds})
    return pd.DataFrame(rows)


def earns_its_place(table: pd.DataFrame) -> pd.DataFrame:
    """Of each noise: noise, earns (bool), ahead (measures), behind (measure beside baseline), separated by commas.

    table: as `baselines_table` gives it. The learned hallucinator earns its place where it is ahead of both baselines
    in one measure at least and behind neither in any: ahead and behind by a point (0.01) or more, with the interval on
    that side of zero. What both change is no measure of this: it may be a handful of labels.
    """
    rows = []
    judged = table[(table["cleaner"] == LEARNED) & (table["measure"] != BOTH)]
    for noise, own in judged.groupby("noise", sort=False):
        leads = own[(own["low"] > 0) & (own["difference"] >= POINT)]
        lags = own[(own["high"] < 0) & (own["difference"] <= -POINT)]
        ahead = [name for name, both in leads.groupby("measure", sort=False) if len(both) == own["beside"].nunique()]
        behind = [f"{row.measure} beside {row.beside}" for row in lags.itertuples()]
        told = {"ahead": ", ".join(ahead), "behind": ", ".join(behind)}
        rows.append({"noise": noise, "earns": bool(ahead) and not behind} | told)
    return pd.DataFrame(rows)


def _figures(name: str, other: str, measure: str) -> tuple[str, str]:
    """The two figures that a measure compares."""
    if measure == BOTH:
        return f"{name}.{WITH}{other}", f"{other}.{WITH}{name}"
    return f"{name}.{measure}", f"{other}.{measure}"


def _difference(one: NoiseResult, own: str, other: str) -> dict[str, float]:
    found = one.figures.of(lambda figures: (figures[own] - figures[other]).to_numpy())
    return {"difference": found.value, "low": found.low, "high": found.high}

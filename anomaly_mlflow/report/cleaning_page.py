"""The page of `clean_labels`: what was changed, what was left alone and why, and what it gained."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.repair import Reason
from anomaly_mlflow.cleaning.variants import VARIANTS
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.report.figures.cleaning import embedding_maps, gain_bars, repair_confusion, repaired_pictures
from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.studies.repair_measures import MEASURES, SETS, sets_table

__all__ = ["Cleaning", "cleaning_page", "gain_sentence"]

PICTURES, LISTED = 24, 50
HOW = (
    "A label is changed only where at least two mechanisms propose the same new label, one of them models that"
    " never saw it, both sure enough (a share of how sure each is on average of the labels of that class that it"
    " keeps), and never more labels than the cap or half of a class: the surest first. Nothing is removed; every label"
    " that is left alone stands in repairs.parquet with the reason. Set aside are those that two mechanisms doubt, one"
    " of which never saw them, and that are left alone: a model may do without them, and a person should look at them.",
    "Models contradict right labels too, but seldom as surely as wrong ones. Unless two mechanisms are surely against a"
    " share of at least `repair_floor` of the labels that models of other folds contradict, no label is changed or set"
    " aside: where all labels are right, that share is smaller.",
    "The retrainings are alike in all but the labels. Intervals are 95 % percentile intervals over seeds and, within"
    " classes, source groups of the test images; gains are paired: the same seeds and images in every draw.",
    "The type is a plain rule on the predictions of models that never saw the image: near_miss where no class but the"
    " suggested one is likelier than the given one, far where some other is, ood_like where no class has half of the"
    " probability and the suggested one is not the likeliest.",
)
UNKNOWN = (
    "Nothing is known here of the truth: the test images bear labels of the same quality as the training images, and"
    " wrong ones among them understate or hide what cleaning gains. How many of the changed labels are right has to be"
    " looked at by a person."
)


@dataclass(frozen=True)
class Cleaning:
    """What the page tells.

    samples: with labels as given; frame: as `repairs`; gains: as `gains_table`; true_label: int64 (n,), None where the
    truth is unknown; measures: as `measure_repairs`, then; mapped: int64 (m,), rows of the embeddings before and after,
    float (m, d); repairable: as `repairable_share`.
    """

    samples: Samples
    frame: pd.DataFrame
    gains: pd.DataFrame
    true_label: np.ndarray | None
    measures: pd.DataFrame | None
    mapped: np.ndarray
    before: np.ndarray
    after: np.ndarray
    repairable: float


def cleaning_page(found: Cleaning, facts: Mapping[str, object], seed: int = 0) -> str:
    """One self-contained page."""
    frame, samples = found.frame, found.samples
    sections = [
        Section("What it gained", _variants(found), [(gain_bars(found.gains), "")], found.gains),
        *_against_truth(found),
        Section("What was changed, and what was left alone", [_changed(frame)], table=reasons_table(frame)),
        Section(
            "Easy, hard and corrected labels",
            [f"{name}: {words}." for name, words in SETS.items()],
            [(_maps(found, seed), "Colours: classes; rings: images whose label was changed.")],
            sets_table(frame, found.true_label),
        ),
        Section("From which class to which", figures=[(repair_confusion(frame, samples.classes), "")]),
        Section(f"The {LISTED} surest changes", figures=_pictures(found), table=_surest(frame, samples)),
        Section("How to read this", HOW),
    ]
    return render_page(f"Cleaned labels of {samples.name}", gain_sentence(found), sections, facts)


def gain_sentence(found: Cleaning) -> str:
    """The result in a sentence or three."""
    frame = found.frame
    told = f"{frame['repaired'].sum():,} of {len(frame):,} labels were changed ({frame['repaired'].mean():.1%})"
    told += f" and {frame['set_aside'].sum():,} set aside ({frame['set_aside'].mean():.1%})."
    if frame["reason"].isin([str(Reason.BELOW_FLOOR), str(Reason.BELOW_FLOOR_ASIDE)]).any():
        told += (
            f" {(frame['reason'] == Reason.BELOW_FLOOR).sum():,} would have been changed: two mechanisms are surely"
            f" against {found.repairable:.1%} of the labels that models of other folds contradict, fewer than"
            " `repair_floor` asks for; where all labels are right they are against some too."
        )
    if not frame[["repaired", "set_aside"]].any(axis=None):
        return told
    by_variant = found.gains.set_index("trained on")
    told += f" Training on the repaired labels gains {_points(by_variant.loc['cleaned'])}"
    return f"{told}; without those set aside {_points(by_variant.loc['certain'])}."


def _points(one: pd.Series) -> str:
    """A gain in words."""
    ends = "" if np.isnan(one["gain_low"]) else f" (95 % {100 * one['gain_low']:+.1f} to {100 * one['gain_high']:+.1f})"
    share = "" if np.isnan(one["share"]) else f", {one['share']:.0%} of what true labels gain"
    return f"{100 * one['gain']:+.1f} points of test accuracy{ends}{share}"


def reasons_table(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for the changed labels and for each reason to leave one alone: what, labels, share, labels of each type."""
    what = frame["reason"].where(~frame["repaired"], "changed")
    counts = frame.groupby(what)["sample_id"].size()
    order = dict.fromkeys(["changed", *map(str, Reason), *counts.index])  # a run of an earlier version has others
    rows = [(name, int(counts[name]), counts[name] / len(frame)) for name in order if name in counts]
    table = pd.DataFrame(rows, columns=["what", "labels", "share"])
    for own in sorted(set(frame["type"]) - {""}):
        table[own] = [int(((what == name) & (frame["type"] == own)).sum()) for name in table["what"]]
    return table


def _variants(found: Cleaning) -> list[str]:
    told = [f"{name}: {VARIANTS[name]}." for name in found.gains["trained on"]]
    return told if found.true_label is not None else [*told, UNKNOWN]


def _changed(frame: pd.DataFrame) -> str:
    agreeing = frame.loc[frame["repaired"], "mechanisms"].value_counts()
    told = "; ".join(f"{', '.join(names.split(','))}: {count:,}" for names, count in agreeing.items())
    return f"Mechanisms that agreed on the changed labels: {told}." if told else "No label was changed."


def _against_truth(found: Cleaning) -> list[Section]:
    if found.measures is None:
        return []
    table = found.measures.assign(what=[MEASURES[name] for name in found.measures["measure"]])
    return [Section("How right the changes are", table=table)]


def _maps(found: Cleaning, seed: int) -> object:
    own = found.frame.iloc[found.mapped]
    labels = np.where(own["repaired"], own["suggested"], own["given"])
    changed = own["repaired"].to_numpy(bool)
    return embedding_maps(found.before, found.after, own["given"].to_numpy(), labels, changed, seed)


def _pictures(found: Cleaning) -> list[tuple[object, str]]:
    rows = _order(found.frame)[:PICTURES]
    if not len(rows):
        return []
    return [(repaired_pictures(found.samples, found.frame, rows), "Given label → new label, the surest first.")]


def _surest(frame: pd.DataFrame, samples: Samples) -> pd.DataFrame:
    own = frame.iloc[_order(frame)[:LISTED]].drop(columns=["repaired", "reason", "set_aside"])
    return own.assign(**{key: [samples.classes[label] for label in own[key]] for key in ("given", "suggested")})


def _order(frame: pd.DataFrame) -> np.ndarray:
    """Rows of the repaired labels, the surest first."""
    rows = np.flatnonzero(frame["repaired"])
    return rows[np.argsort(-frame["confidence"].to_numpy()[rows], kind="stable")]

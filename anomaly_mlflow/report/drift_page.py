"""The page of the monitor: whether there is an alarm, the distributions, every test, and what it cannot see."""

from collections.abc import Mapping

import pandas as pd

from anomaly_mlflow.detection.drift import Drift
from anomaly_mlflow.report.figures.drift import drift_plot
from anomaly_mlflow.report.page import Section, render_page

__all__ = ["BLIND_SPOT", "drift_line", "drift_page"]

BLIND_SPOT = (
    "No label enters. Where the labels of the same images change (a drift of P(Y|X) alone: another convention, other"
    " annotators, another meaning of a class), nothing here changes, exactly: accuracy can fall to nothing without an"
    " alarm. Only labels of new images tell."
)
LIMITS = (
    "An alarm says that the images look different to the model, not that it errs on them. Another mix of classes is a"
    " difference too.",
    "Images count as drawn one by one. Frames of one video or crops of one photograph are fewer than they look: a batch"
    " of such raises an alarm too easily.",
    "Each batch has its own 5 %: of many clean batches one in twenty or fewer is an alarm.",
)
HOW = (
    "Four categories: score (free energy, -ln of the sum of exp of the logits), confidence (1 less the largest"
    " probability), entropy (divided by the logarithm of the number of classes), and embedding (up to four principal"
    " components, of reference and batch together: axes fitted to the reference alone would fit no new image as well).",
    "Each quantity is tested twice: by the two-sample Kolmogorov-Smirnov test, and by the population stability index"
    " (10 bins of equal width over the range of the reference, the outer ones open) against random divisions of the"
    " same images into samples of these sizes. The rule of thumb for the index, .25, knows no number of images and is"
    " not used. p values are adjusted by Holm's method, so that of clean batches at most 5 % raise an alarm, all tests"
    " together; the reference counts as the sample that it is.",
    "Severity: share of the active categories with a triggered test, of equal weight; low, from .3 on medium, from .5"
    " on high, from .7 on critical.",
)
CAPTION = "Grey: reference; line: batch, orange where its category is triggered."
HELD_OUT = "No image of the reference was trained on: of those that were, a model is surer than of any new one."
UNKNOWN = (
    "Which images the model was trained on is not known here, so that nobody checked whether the reference holds some"
    " of them; if it does, clean batches raise the alarm."
)


def drift_page(
    model: str,
    found: Mapping[str, Drift],
    tests: pd.DataFrame,
    batches: pd.DataFrame,
    facts: Mapping[str, object],
    *,
    training_known: bool,
) -> str:
    """The self-contained page. found: name of a batch -> its drift; tests, batches: the tables of all of them."""
    lines = [drift_line(name, one) for name, one in found.items()]
    figures = [(drift_plot(one, name), f"{name}. {CAPTION}") for name, one in found.items()]
    sections = [
        Section("What was found", lines, table=batches),
        Section("The distributions", figures=figures),
        Section("What no monitor without labels can see", (BLIND_SPOT, *LIMITS)),
        Section("How to read this", (*HOW, HELD_OUT if training_known else UNKNOWN)),
        Section("Every test", table=tests),
    ]
    return render_page(f"Monitor of {model}", _lead(found), sections, facts)


def drift_line(name: str, found: Drift) -> str:
    """The result for one batch in a sentence."""
    smallest = f"smallest of {len(found.tests)} adjusted p {found.tests['adjusted_p'].min():.2g}"
    sides = f"{len(found.batch):,} images beside {len(found.reference):,} of reference"
    if not found.alarm:
        return f"no alarm: {name} ({sides}; {smallest})"
    severity = f"severity {found.severity:.2f}, {found.level}"
    return f"ALARM: {name} differs in {', '.join(found.triggered)} ({severity}; {sides}; {smallest})"


def _lead(found: Mapping[str, Drift]) -> str:
    loud = sum(one.alarm for one in found.values())
    return f"{loud} of {len(found)} batches look to the model unlike images that were held out from it."

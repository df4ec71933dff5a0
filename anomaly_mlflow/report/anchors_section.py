"""What the page of the study of cleaners says of anchor hallucination: its baselines, and its settings."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from anomaly_mlflow.report.page import Section
from anomaly_mlflow.studies.anchor_comparison import COMPARED, earns_its_place

__all__ = ["anchor_sections", "place_lines"]

RULE = (
    "Ahead and behind: a paired difference of a point (0.01) or more, with its 95 % interval on that side of zero. The"
    " learned hallucinator earns its place where it is ahead of both its baselines, linear anchors and the"
    " classifier's own answer, in average precision, repair accuracy or mended labels, and behind neither in any."
)
SETTINGS = (
    "One setting of anchor hallucination is changed at a time; the difference is to the same kind of anchors with all"
    " settings at their defaults, on the same draws of seeds and rows. Which setting is best is known here only because"
    " the truth was read: choose on other data than is reported on."
)
CAPTION = "Dots: difference to the default; whiskers: 95 %. Right of zero is better, but for `broken`."


def place_lines(baselines: pd.DataFrame) -> list[str]:
    """Of each noise a sentence: whether the learned hallucinator earns its place; table: as `baselines_table`."""
    if baselines.empty:
        return []
    return [
        f"{one.noise}: the learned hallucinator {'earns' if one.earns else 'does not earn'} its place: ahead of both"
        f" baselines in {one.ahead or 'nothing'}, behind in {one.behind or 'nothing'}."
        for one in earns_its_place(baselines).itertuples()
    ]


def anchor_sections(baselines: pd.DataFrame, ablation: pd.DataFrame, figure: Figure | None) -> Sequence[Section]:
    """The sections for which there is something to tell; tables as `baselines_table` and `ablation_table` give them.

    figure: that of the ablation.
    """
    sections = []
    if not baselines.empty:
        measures = [f"{name}: {words}." for name, words in COMPARED.items()]
        said = [*place_lines(baselines), RULE, *measures]
        sections.append(Section("Does the learned hallucinator earn its place?", said, table=baselines))
    if figure is not None:
        sections.append(Section("Settings of anchor hallucination", [SETTINGS], [(figure, CAPTION)], ablation))
    return sections

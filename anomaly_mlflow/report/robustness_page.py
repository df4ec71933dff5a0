"""The page of the robustness study: the report's figures beside ours, the curves, equal distortion, all numbers."""

from collections.abc import Mapping

import pandas as pd

from anomaly_mlflow.report.figures.decay import decay_figure, equal_figure
from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.report.reproduced import beside_section, counts_sentence
from anomaly_mlflow.studies.decay import MEASURES

__all__ = ["robustness_page"]

HOW = (
    "The model never saw the damage: it is done to test images at inference, on values in 0..1 before the model's own"
    " normalisation, clipped, and rounded to 256 levels once. Severity 0 is the clean pass itself. What is drawn at"
    " random is the same at every severity, so that two severities differ in nothing else.",
    "Noise: independent normal values on every channel of every pixel. Blur: a normal kernel, cut at 4 sigma, the edge"
    " going on beyond the border. JPEG by Pillow, elastic displacement, brightness and contrast by torchvision.",
    "Area: the mean accuracy over all severities, by the trapezoid rule. Areas of different corruptions do not compare,"
    " for their severities do not. Equal distortion does: SSIM (Wang et al. 2004) says how far an image is from its"
    " original for an eye, and accuracy is read off at the same mean SSIM, on the line between two severities.",
    "Intervals are 95 % bootstrap intervals over seeds and, within each class, source groups of test images; all"
    " severities and corruptions share one draw, so that differences are paired. The mean SSIM of a severity counts as"
    " known. A bootstrap of the calibration error lies a little high.",
)


def robustness_page(
    curves: pd.DataFrame, summary: pd.DataFrame, equal: pd.DataFrame, beside: pd.DataFrame, facts: Mapping[str, object]
) -> str:
    """The self-contained page; the frames are those of `studies.decay_table` and `robustness_claims`."""
    bands = "Lines: mean over seeds; bands: 95 %."
    sections = [
        beside_section(beside),
        Section("Decay curves", figures=[(decay_figure(curves), bands)], table=summary),
        Section("At equal distortion", _equal_words(equal), [(equal_figure(curves), bands)], equal),
        Section("How to read this", HOW),
        Section("All numbers", [f"{name}: {words}." for name, words in MEASURES.items()], table=curves),
    ]
    return render_page("How models decay under noise, blur and more", counts_sentence(beside), sections, facts)


def _equal_words(equal: pd.DataFrame) -> list[str]:
    """For each model, what each corruption costs at the lowest similarity that all of them reach."""
    said = []
    for model, own in equal.groupby("model", sort=False):
        reached = own.groupby("similarity")["corruption"].nunique()
        common = reached[reached == own["corruption"].nunique()]
        if common.empty:
            said.append(f"{model}: no similarity is reached by all corruptions; the table shows which reach what.")
            continue
        at = own[own["similarity"] == common.index.min()].sort_values("lost", ascending=False)
        costs = ", ".join(f"{row.corruption.replace('_', ' ')} {100 * row.lost:.1f}" for row in at.itertuples())
        said.append(f"{model}: at a mean SSIM of {common.index.min():g} the points of accuracy lost are {costs}.")
    return said

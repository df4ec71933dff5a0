"""The page of the glitch study: which part of the pattern holds, then the figures and the numbers behind it."""

from collections.abc import Mapping, Sequence

import pandas as pd

from anomaly_mlflow.report.figures.glitches import f1_bars, ratio_curves, time_split
from anomaly_mlflow.report.glitches_words import characterisation_sentences, pattern_paragraphs
from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.studies.glitch_measures import MEASURES
from anomaly_mlflow.studies.glitch_pattern import PATTERN
from anomaly_mlflow.studies.glitch_scores import COUNTERFACTUAL
from anomaly_mlflow.studies.glitch_table import KEYS, Summary

__all__ = ["glitches_page"]

HOW = (
    "Every signal gives one number for each image, higher = more suspicious; none sees what was done to the data. The"
    " influence of an image is that on a reference set of test images with true labels, through the last layer, summed"
    " over the states of the training after each epoch, weighted with the learning rates that were really used. By the"
    " cosine (influence_norm) self-influence is the same for every image, and P1 says nothing.",
    "F1 at known contamination flags the scores that reach the floor(c n)-th largest, counted from 0, c being the ratio"
    " as the paper counts it; appended anomalies make n larger than c counts on, so that F1 cannot reach 1: the dashed"
    " line is the best there is. Estimated contamination is the share of the upper of two Gaussian components of a"
    " signal's own scores; for a rank of two signals, the share that either of them flags.",
    "Intervals are 95 % bootstrap intervals over seeds and rows; thresholds stay where they are. A seed draws the"
    " errors, the foreign class and the training anew, but not the images: an image weighs the same in all seeds of a"
    " draw. Shares of counted rows have Wilson's interval for as many independent rows as have these draws' variance."
    " Statements, margins and measures were fixed in the code before any data was seen; for how long"
    " and at what rate models are trained was not (docs/glitches.md). A statement is"
    " supported where the whole interval lies at its margin or above, refuted where it lies wholly below.",
)
MATCHED = (
    "As published, the influence under the given label is summed over all saved states and that under another label is"
    " taken in the last one alone. Matched: both over all of them. The figures are F1 at known contamination.",
)


def glitches_page(
    table: pd.DataFrame,
    counts: pd.DataFrame,
    pattern: pd.DataFrame,
    seconds: pd.DataFrame,
    f1: pd.DataFrame,
    summaries: Sequence[Summary],
    facts: Mapping[str, object],
) -> str:
    """The self-contained page; the frames are those of `studies.glitch_table` and `glitch_pattern`."""
    bars = [(figure, f"Influence signals on {name}; bars: 95 %.") for name, figure in f1_bars(table, summaries).items()]
    curves = ratio_curves(table)
    noisy = f1[f1["reference_noise"] > 0]
    sections = [
        Section("What holds, and where", pattern_paragraphs(pattern)),
        Section("F1 by glitch", figures=bars, table=f1[f1["reference_noise"] == 0]),
        Section("What kind of error, and which label", characterisation_sentences(counts), table=counts),
        *([Section("Other ratios", figures=[(curves, "F1 at known contamination; bars: 95 %.")])] if curves else []),
        *([Section("Wrong labels in the reference set", table=noisy)] if len(noisy) else []),
        Section("The same states on both sides of the counterfactual step", MATCHED, table=_matched(f1)),
        Section("Where the time goes", figures=[(time_split(seconds), "Mean seconds a training.")], table=seconds),
        Section("How to read this", HOW, table=_statements()),
        Section("All numbers", [f"{name}: {words}." for name, words in MEASURES.items()], table=table),
    ]
    return render_page("Which influence signal finds which glitch", _lead(pattern), sections, facts)


def _lead(pattern: pd.DataFrame) -> str:
    told = []
    for statement in PATTERN:
        verdicts = pattern.loc[pattern["statement"] == statement.name, "verdict"]
        if len(verdicts):
            told.append(f"{statement.title}: supported in {(verdicts == 'supported').sum()} of {len(verdicts)} cells.")
    return " ".join(told) or "None of these cells bears upon the pattern."


def _matched(f1: pd.DataFrame) -> pd.DataFrame:
    return f1[[*KEYS, *(column for name in COUNTERFACTUAL for column in (name, f"{name}_matched"))]]


def _statements() -> pd.DataFrame:
    rows = [(one.name, one.title, one.measured, ", ".join(one.glitches), one.margin) for one in PATTERN]
    return pd.DataFrame(rows, columns=["statement", "what it says", "measured", "glitches", "supported from"])

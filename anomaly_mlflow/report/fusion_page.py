"""The page of the fusion study: the report's figures beside ours, what holds, and the numbers behind it."""

from collections.abc import Mapping

import pandas as pd

from anomaly_mlflow.report.figures.fusion import factor_curves, share_bars
from anomaly_mlflow.report.fusion_words import claim_paragraphs, share_sentence
from anomaly_mlflow.report.page import Section, render_page

__all__ = ["fusion_page"]

HOW = (
    "An image encoder and a small network on a class code (the metadata) give an embedding each, of the same width and"
    " standardised; one linear head answers from both. The label always follows the image. A contradictory pair is a"
    " test image with the code of another class, drawn by the seed, the same pairs for every training: the answer is"
    " the metadata's class, the image's, or neither.",
    "plain: all training pairs consistent, and nothing done about it. consistent_share: the other training pairs name"
    " another class, the same in every epoch, so that they can be learnt by heart. metadata_noise: another class with"
    " this probability, drawn anew in every epoch. modality_dropout: the metadata embedding is zero for this share of"
    " training pairs. embedding_noise: Gaussian noise on it in training, in its own deviations. metadata_scale:"
    " the embedding times this factor; a factor below 1 makes its weights slower to learn, so that the image is learnt"
    " beside it (added once that had been seen, so no claim is judged by it). image only, metadata"
    " only: the other source's embedding is zero throughout; the first says how often chance alone hits the metadata's"
    " class.",
    "Intervals are 95 % bootstrap intervals over seeds and, within the image's class, source images, widened to"
    " Wilson's of one training on as many pairs as there are images; differences are paired by seed and pair. A single"
    " training has Wilson's interval. Claims and margins were fixed in the code before any data was seen: supported"
    " where the whole interval lies above the margin, refuted where it lies below, undecided otherwise.",
)
REPRODUCED = (
    "yes: our whole interval lies within five points of the report's figure; no: wholly outside; undecided: neither,"
    " or ours are other data than the report's CIFAR-10."
    " The report says neither how its metadata network is built nor for how long it was trained.",
)
ATTRIBUTED = (
    "The share of the predicted logit that the metadata embedding accounts for, by exact Shapley values: the head is"
    " linear, so that a source's part is its weights times its embedding less the mean one. conflict: contradictory"
    " pairs; consistent: the same images with metadata of their own class.",
)


def fusion_page(tables: Mapping[str, pd.DataFrame], setting: str, facts: Mapping[str, object]) -> str:
    """The self-contained page.

    tables: shares, by_training, attribution, accuracies (as `studies.fusion_shares` gives them), claims, report_table.
    setting: data, encoder and length of the trainings, in words.
    """
    shares, curves = tables["shares"], factor_curves(tables["shares"])
    figures = [(share_bars(shares), "Answers of each cell; lines: 95 % intervals of the first and the last share.")]
    if curves is not None:
        figures.append((curves, "Answers over each factor, the plain training among its levels; bars: 95 %."))
    sections = [
        Section("The report's figures beside ours", REPRODUCED, table=tables["report_table"]),
        Section("What holds", claim_paragraphs(tables["claims"]), table=tables["claims"]),
        Section("Answers to contradictory pairs", figures=figures, table=shares),
        Section("Which source the answer comes from", ATTRIBUTED, table=tables["attribution"]),
        Section("Accuracy on consistent pairs, and without metadata", table=tables["accuracies"]),
        Section("Each training by itself", table=tables["by_training"]),
        Section("How to read this", HOW),
    ]
    lead = f"{share_sentence(shares)} ({setting}.)"
    return render_page("Which source a fused network follows", lead, sections, facts)

"""Options of the steps that judge, search and explain."""

import click

from anomaly_mlflow.anomalies.tasks import TASKS
from entry_points.option_kinds import COUNT, SHARE, Storage, TextOrNone, option

__all__ = ["STUDY_OPTIONS"]

STUDY_OPTIONS = [
    option(
        "influence_bias",
        click.Choice(["yes", "no"]),
        "yes",
        "Whether the gradient of the last layer's bias is part of the influence.",
    ),
    option(
        "influence_norm",
        click.Choice(["none", "cosine"]),
        "none",
        "cosine: each gradient is divided by its norm, so that large ones do not rule the influence; self-influence is then the same for every image.",
    ),
    option("signals", click.STRING, "all", "Signals to extract, separated by commas; all: every one."),
    option(
        "recording",
        TextOrNone(),
        "none",
        "A recording of another training loop, a folder or the id of a run: what it alone tells, in place of all steps before.",
    ),
    option(
        "probe_share",
        SHARE,
        0.125,
        "Known errors planted among the given labels, five kinds in equal parts, share of all training images (0 to 1).",
    ),
    option("draws", click.IntRange(100, 1_000_000), 2000, "Bootstrap draws of the intervals."),
    option(
        "claims",
        click.STRING,
        "all",
        "Claims to judge, separated by commas: H1,H2,H3; all: every one (hypotheses takes no other).",
    ),
    option(
        "cells",
        click.STRING,
        "all",
        "Sensitivity cells beside the primary one, which is always judged, separated by commas; all: every one.",
    ),
    option(
        "scale",
        click.Choice(["full", "small"]),
        "full",
        "small: few images, epochs, folds, seeds and draws where no value was typed, to see it work within a minute.",
    ),
    option("trials", COUNT, 40, "Trials of the sweep."),
    option("workers", COUNT, 2, "Trials of the sweep side by side, in processes of one thread each."),
    option(
        "target",
        click.Choice(list(TASKS)),
        "error",
        "What the sweep's detector is to find: error (any wrong label or image, against clean and hard ones), or one type against another.",
    ),
    option(
        "storage",
        Storage(),
        "none",
        "Database of the sweep's trials, such as postgresql+psycopg://USER@HOST/NAME (password in PGPASSWORD, never here: `mlflow run -P` logs what is typed); none: a journal file beside the run.",
    ),
    option(
        "detector",
        click.STRING,
        "types",
        "What to explain beside the type classifier: types (nothing), or a registered detector (models:/NAME@champion).",
    ),
    option(
        "near_miss_rates",
        click.STRING,
        "0.02,0.05,0.1,0.15,0.2",
        "Near-miss shares of all training images, separated by commas; theory trains a noisy model at each.",
    ),
]

"""Options of repairing labels and of training on what became of them."""

import click

from anomaly_mlflow.cleaning import CLEANERS
from anomaly_mlflow.cleaning.anchor_ablation import GROUP
from anomaly_mlflow.cleaning.learners import LEARNERS
from anomaly_mlflow.cleaning.repair import CAP, LEAST_CONFIDENCE
from anomaly_mlflow.cleaning.variants import OF_CLEANER, VARIANTS
from entry_points.option_kinds import COUNT, POSITIVE, SHARE, Auto, Number, TextOrNone, option

__all__ = ["CLEANING_OPTIONS"]

_KINDS = VARIANTS | {f"{kind}:CLEANER": words for kind, words in OF_CLEANER.items()}
_SAID = "; ".join(f"{name}: {words}" for name, words in _KINDS.items())

CLEANING_OPTIONS = [
    option(
        "cleaner_names",
        click.STRING,
        "small_loss_by_class,confident_learning,neighbour_vote",
        f"Cleaners, separated by commas: {', '.join(sorted(CLEANERS))}; all: every one. A repair needs two that look at different things.",
    ),
    option(
        "scored",
        click.STRING,
        "all",
        f"Cleaners whose worth is measured, separated by commas, as under cleaner_names; all: every one whose evidence there is; {GROUP}: anchor hallucination, its baselines, and it with one setting changed at a time.",
    ),
    option(
        "checked",
        TextOrNone(),
        "none",
        "Labels that people gave when they checked images drawn at random, for conformal_fdr: parquet:PATH#COLUMN,COLUMN; -1, an empty cell or no row: not checked. Rows of which all columns say the given label are trusted. The data set's own labels are no check: with them the truth would clean.",
    ),
    option("repair_cap", SHARE, CAP, "Largest share of the labels that is changed (0 to 1), the surest first."),
    option(
        "repair_confidence",
        SHARE,
        LEAST_CONFIDENCE,
        "How sure of the new label two cleaners that look at different things must both be (0 to 1).",
    ),
    option(
        "inject",
        click.Choice(["no", "yes"]),
        "no",
        "no: the labels are taken as they are, or as labels=... gives them; yes: errors are made first, by the shares or the convention.",
    ),
    option(
        "variant",
        click.STRING,
        "cleaned",
        f"What retrain trains on. {_SAID}.",
    ),
    option("learner", click.STRING, "plain", f"How is trained on it: {', '.join(LEARNERS)}."),
    option("retrain_seed", click.IntRange(0, 2**31), 0, "Seed of the retraining, the first of several."),
    option("retrain_seeds", COUNT, 3, "Retrainings of each kind, with consecutive seeds."),
    option(
        "budget",
        Auto(POSITIVE),
        "auto",
        "What plan_budget may spend, in checks of one label (above 0); auto: a check of every tenth label.",
    ),
    option(
        "label_cost",
        Number(0, 1e6, min_open=True),
        1.0,
        "Cost of one more labelled image, in checks of one label that there is (above 0).",
    ),
    option(
        "probe_seeds",
        click.IntRange(2, 100),
        3,
        "Draws of labels and errors in each fold, from which plan_budget's probes learn; its intervals are over them.",
    ),
    option(
        "licence",
        TextOrNone(),
        "none",
        "Licence of the data, as its publisher states it; none: not stated.",
    ),
    option(
        "noises",
        click.STRING,
        "part_dependent:0.35|asymmetric:0.4",
        "Noises of the study of cleaners, separated by |: CONVENTION:RATE, labels:TABLE (as under labels) or clean; the option labels adds its own.",
    ),
    option(
        "retrainings",
        TextOrNone(),
        "none",
        "Trainings on each noise of the study of cleaners, separated by |: LEARNER@VARIANT, as in plain@cleaned|plain@kept:small_loss|dividemix@given; plain@given is always among them. none: no training.",
    ),
]

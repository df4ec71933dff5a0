"""Options of repairing labels and of training on what became of them."""

import click

from anomaly_mlflow.cleaning import CLEANERS
from anomaly_mlflow.cleaning.learners import LEARNERS
from anomaly_mlflow.cleaning.repair import CAP, LEAST_CONFIDENCE
from anomaly_mlflow.cleaning.variants import VARIANTS
from entry_points.option_kinds import COUNT, SHARE, option

__all__ = ["CLEANING_OPTIONS"]

CLEANING_OPTIONS = [
    option(
        "cleaner_names",
        click.STRING,
        "small_loss_by_class,confident_learning,neighbour_vote",
        f"Cleaners, separated by commas: {', '.join(sorted(CLEANERS))}; all: every one. A repair needs two that look at different things.",
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
        "no: the labels are cleaned as they are, or as labels=... gives them; yes: errors are made first, by the shares or the convention, to see what cleaning them gains.",
    ),
    option(
        "variant",
        click.Choice(list(VARIANTS)),
        "cleaned",
        f"What retrain trains on: {'; '.join(f'{name}: {words}' for name, words in VARIANTS.items())}.",
    ),
    option("learner", click.STRING, "plain", f"How is trained on it: {', '.join(LEARNERS)}."),
    option("retrain_seed", click.IntRange(0, 2**31), 0, "Seed of the retraining, the first of several."),
    option("retrain_seeds", COUNT, 3, "Retrainings of each kind, with consecutive seeds."),
]

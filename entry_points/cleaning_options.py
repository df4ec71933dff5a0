"""Options of repairing labels and of training on what became of them."""

import click

from entry_points.option_kinds import COUNT, POSITIVE, SHARE, Auto, Names, Number, TextOrNone, option

__all__ = ["CLEANER_NAMES", "CLEANING_OPTIONS", "LEARNER_NAMES", "VARIANT_NAMES"]

# As text, and held to the registries by a test: what is imported here is part of the code of every step.
CLEANER_NAMES = (
    "anchors_learned, anchors_linear, aum_threshold, class_prototypes, classifier_argmax, confident_learning,"
    " conformal_fdr, entropy_window, fine, imprecise_labels, likelihood_ratio, loss_window, neighbour_rank,"
    " neighbour_vote, online_label_refinement, small_loss, small_loss_by_class, spectral_truncation"
)
LEARNER_NAMES = (
    "plain, plain_pair, constant_rate, label_smoothing, embedding_noise, early_stopping, window_stopping, mixmatch,"
    " dividemix, anchor_hallucination, linear_anchors"
)
VARIANT_NAMES = "given, cleaned, certain, oracle, random_removal, kept:CLEANER, relabelled:CLEANER"

CLEANING_OPTIONS = [
    option(
        "cleaner_names",
        Names(),
        "confident_learning,neighbour_vote,spectral_truncation",
        f"Cleaners, separated by commas: {CLEANER_NAMES}; all: every one whose evidence there is. A repair needs two that look at different things, one of them at models that never saw the label (confident_learning).",
    ),
    option(
        "scored",
        Names(),
        "all",
        "Cleaners whose worth is measured, separated by commas, as under cleaner_names; all: every one whose evidence there is; anchor_ablation: anchor hallucination, its baselines, and it with one setting changed at a time.",
    ),
    option(
        "checked",
        TextOrNone(),
        "none",
        "Labels that people gave when they checked images drawn at random, for conformal_fdr: parquet:PATH#COLUMN,COLUMN; -1, an empty cell or no row: not checked. Rows of which all columns say the given label are trusted. The data set's own labels are no check: with them the truth would clean.",
    ),
    option(
        "repair_cap",
        SHARE,
        0.3,
        "Largest share of the labels that is changed (0 to 1), the surest first; never more than half of a class.",
    ),
    option(
        "repair_confidence",
        SHARE,
        0.95,
        "How sure of the new label two cleaners that look at different things must both be: a share (0 to 1) of how sure each is on average of the labels of that class that it keeps.",
    ),
    option(
        "repair_floor",
        SHARE,
        0.12,
        "Least share (0 to 1), of the labels that models of other folds contradict, that two cleaners must surely be against: where fewer are, no label is changed or set aside, since models err so too where all labels are right. 0: no such floor.",
    ),
    option(
        "inject",
        click.Choice(["no", "yes"]),
        "no",
        "no: the labels are taken as they are, or as labels=... gives them, and nothing is known of the truth; yes: the data set's own labels are the truth, and labels=... or a convention makes wrong ones, else the shares do.",
    ),
    option(
        "variant",
        click.STRING,
        "cleaned",
        f"What retrain trains on: {VARIANT_NAMES}. kept: the labels that this cleaner keeps; relabelled: all as it would write them.",
    ),
    option("learner", click.STRING, "plain", f"How is trained on it: {LEARNER_NAMES}."),
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

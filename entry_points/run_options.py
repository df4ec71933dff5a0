"""Options of how a step is carried out, and on which runs it builds."""

import click

from entry_points.option_kinds import COUNT, Auto, TextOrNone, option

__all__ = ["RUN_OPTIONS"]

RUN_OPTIONS = [
    option("device", click.STRING, "auto", "Where to train: auto, cpu, cuda."),
    option(
        "jobs",
        Auto(COUNT),
        "auto",
        "Trainings side by side, one thread each; auto: one a core, one on a GPU, of a running Ray cluster all that it has.",
    ),
    option(
        "backend",
        click.Choice(["processes", "ray"]),
        "processes",
        "Where trainings, cells and trials go side by side: processes of this machine, or the workers of a Ray cluster: that of RAY_ADDRESS (HOST:PORT), else one started here. One job at a time stays in this process.",
    ),
    option(
        "resume",
        click.STRING,
        "auto",
        "Unfinished run to continue: auto (the newest of the same command), none (always a new run), or the id of a run.",
    ),
    option(
        "baseline_run",
        TextOrNone(),
        "none",
        "Run of train_baseline to build on; none: the newest with the same fingerprint, or a new one.",
    ),
    option("noise_run", TextOrNone(), "none", "Run of generate_noise to build on."),
    option(
        "clean_run",
        TextOrNone(),
        "none",
        "Run of train_clean to build on, or a registered model (models:/NAME@champion).",
    ),
    option("folds_run", TextOrNone(), "none", "Run of train_folds to build on."),
    option("probes_run", TextOrNone(), "none", "Run of train_probes to build on."),
    option(
        "noisy_run",
        TextOrNone(),
        "none",
        "Run of train_noisy to build on, or a registered model (models:/NAME@champion).",
    ),
    option("thresholds_run", TextOrNone(), "none", "Run of train_thresholds to build on."),
    option(
        "features_run",
        TextOrNone(),
        "none",
        "Runs of extract_features to judge, separated by commas, one a training seed.",
    ),
    option("scores_run", TextOrNone(), "none", "Run of score_cleaners to retrain on."),
    option("repairs_run", TextOrNone(), "none", "Run of repair_labels to retrain on."),
]

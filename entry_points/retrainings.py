"""The retrainings of the study of cleaners: noise by noise the test accuracy of each, and what it gains."""

import numpy as np
import pandas as pd

from anomaly_mlflow.studies.cleaner_grid import PLAIN, Noise, Retraining
from anomaly_mlflow.studies.cleaning_gain import accuracies, gains_table
from anomaly_mlflow.studies.resampled import Resampled, over_seeds
from anomaly_mlflow.tracking.run import Run
from entry_points.child_runs import child_runs
from entry_points.retrain import read_correct

__all__ = ["as_options", "retrained"]

ORACLE = Retraining("plain", "oracle")


def as_options(one: Retraining) -> dict[str, str]:
    """What `retrain` is told of it."""
    return {"learner": one.learner, "variant": one.variant}


def retrained(
    run: Run, noises: list[Noise], variants: list[list[dict]], asked: list[Retraining], options: dict
) -> tuple[pd.DataFrame, list[str]]:
    """`gains_table` of every noise with its name, seeds and CPU seconds of a training; the ids of all `retrain` runs.

    variants: for each noise the options of its seeds. Each retraining is set beside plain training on the given labels
    of the same seeds.
    """
    cells = [
        (place, number, one)
        for place, of_noise in enumerate(variants)
        for number in range(len(of_noise))
        for one in asked
        if number < (one.seeds or len(of_noise))
    ]
    made = child_runs("retrain", [variants[place][number] | as_options(one) for place, number, one in cells], run)
    by_cell = dict(zip(cells, made, strict=True))
    tables = []
    for place, noise in enumerate(noises):
        for seeds in sorted({one.seeds or len(variants[place]) for one in asked}, reverse=True):
            compared = [one for one in asked if (one.seeds or len(variants[place])) >= seeds]
            own = [one.name for one in compared if (one.seeds or len(variants[place])) == seeds]
            runs = [{one.name: by_cell[place, number, one] for one in compared} for number in range(seeds)]
            table = _gains(runs, options)
            table = table[table["trained on"].isin(own)]
            seconds = [np.mean([_seconds(each[name]) for each in runs]) for name in table["trained on"]]
            tables.append(table.assign(noise=noise.name, seeds=seeds, cpu_seconds=seconds))
    return pd.concat(tables, ignore_index=True), [one.id for one in made]


def _gains(runs: list[dict[str, Run]], options: dict) -> pd.DataFrame:
    found = over_seeds([_accuracies(one, options) for one in runs], options["seed"])
    return gains_table(found, PLAIN.name, ORACLE.name)


def _accuracies(runs: dict[str, Run], options: dict) -> Resampled:
    """Of one seed the accuracies of all retrainings, paired by test image."""
    tested = {name: read_correct(one) for name, one in runs.items()}
    labels, groups = (tested[PLAIN.name][name].to_numpy() for name in ("label", "group"))
    correct = {name: one["correct"].to_numpy() for name, one in tested.items()}
    # Of one seed for all: where the test set is named, its images weigh the same in every seed.
    return accuracies(correct, labels, groups, draws=options["draws"], seed=options["seed"])


def _seconds(made: Run) -> float:
    return (made.metric_history("cpu_seconds") or [float("nan")])[-1]

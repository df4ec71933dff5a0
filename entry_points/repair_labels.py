"""Trained models and a recording -> what cleaners say of every label, and which labels are changed."""

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.cleaning.base import OUTSIDE
from anomaly_mlflow.cleaning.held_out_check import left_alone, repaired_predictions
from anomaly_mlflow.cleaning.repair import repairs
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.studies.cleaning_gain import accuracies, gains_table
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import configure
from entry_points.cleaner_files import log_cleaned
from entry_points.cleaning_evidence import MAKERS, check_checked, chosen_cleaners, cleaning_evidence, steps_for
from entry_points.fold_files import read_fold, read_out_of_fold
from entry_points.jobs import jobs_of
from entry_points.step import Upstream, only, step
from entry_points.train_folds import FIRST_SEED
from entry_points.trained import TRAINING, chosen
from entry_points.work_folder import work_folder

HELD_OUT = "held_out_"
"""What the metrics of the check begin with."""


def check_repair(options: dict) -> None:
    """Raises as `chosen_cleaners` and `check_checked`, and BadOption where no two of them could be witnesses."""
    chosen = chosen_cleaners(options["cleaner_names"], options["checked"])
    mechanisms = {one.mechanism for one in chosen if one.repairs}
    known = f"these have {', '.join(sorted(mechanisms))} alone" if mechanisms else "these propose no labels"
    asked = f"cleaner_names={options['cleaner_names']}: a repair needs"
    if len(mechanisms) < 2:
        raise BadOption(f"{asked} two mechanisms, and {known}")
    if not mechanisms & OUTSIDE:
        raise BadOption(f"{asked} models that never saw the label, and {known}; add confident_learning")
    check_checked(options)


def _steps_for(options: dict) -> set[str]:
    folds = {"train_folds"} if options["held_out_check"] == "yes" else set()
    return folds | steps_for(options["cleaner_names"], options["checked"])


@step(
    "repair_labels",
    own=(*TRAINING, "cleaner_names", "checked", "repair_cap", "repair_confidence", "held_out_check", "seed"),
    needs=("generate_noise", *MAKERS),
    run_option="repairs_run",
    trains=True,
    check=check_repair,
    narrow=_steps_for,
)
def repair_labels(run: Run, options: dict, upstream: Upstream) -> None:
    """Change labels on which different cleaners agree, where held-out labels confirm that it pays; no truth is read."""
    names = options["cleaner_names"]
    samples, evidence = cleaning_evidence(names, options, upstream)
    cleaned = {one.name: one(evidence, seed=options["seed"]) for one in chosen_cleaners(names, options["checked"])}
    frame = repairs(
        samples.sample_id,
        samples.labels,
        cleaned,
        cap=options["repair_cap"],
        least_confidence=options["repair_confidence"],
        probabilities=evidence.out_of_fold_probabilities if evidence.out_of_fold is not None else None,
    )
    if options["held_out_check"] == "yes" and frame[["repaired", "set_aside"]].any(axis=None):
        found = _held_out(run, samples, frame, only(upstream, "train_folds"), options)
        run.log_metrics({f"{HELD_OUT}{name}": value for name, value in found.items() if np.isfinite(value)})
        frame = frame if found["gain"] > 0 else left_alone(frame)
    run.log_frame(frame, "repairs.parquet")
    log_cleaned(run, samples, cleaned)
    trusted = {} if evidence.trusted is None else {"trusted": int(evidence.trusted.sum())}
    run.log_metrics({name: float(frame[name].mean()) for name in ("repaired", "set_aside")} | trusted)


def _held_out(run: Run, samples: Samples, frame: pd.DataFrame, folds: Run, options: dict) -> pd.Series:
    """The line of `gains_table` that says how much better models of repaired labels foretell the given ones."""
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **chosen(options))
    fold = read_fold(folds, samples.sample_id)
    before = read_out_of_fold(folds, samples.sample_id, samples.num_classes).argmax(axis=1)
    with tqdm(total=fold.max() + 1, desc="held-out check", unit="model", disable=None) as bar:
        how = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        seed, folder = options["seed"] + FIRST_SEED, work_folder(run)
        after = repaired_predictions(samples, frame, fold, config, seed=seed, folder=folder, **how)
    correct = {name: (made == samples.labels)[None] for name, made in (("given", before), ("repaired", after))}
    found = gains_table(accuracies(correct, samples.labels, samples.groups, seed=options["seed"]))
    return found.set_index("trained on").loc["repaired", ["accuracy", "gain", "gain_low", "gain_high"]].astype(float)


def read_held_out(made: Run) -> dict[str, float]:
    """accuracy, gain, gain_low, gain_high (0 to 1) on held-out given labels; empty where nothing was checked."""
    found = {name: made.metric_history(f"{HELD_OUT}{name}") for name in ("accuracy", "gain", "gain_low", "gain_high")}
    return {name: values[-1] for name, values in found.items() if values}

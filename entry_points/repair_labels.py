"""Trained models and a recording -> what cleaners say of every label, and which labels are changed."""

import logging

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.cleaning.base import OUTSIDE
from anomaly_mlflow.cleaning.held_out_check import left_alone, repaired_predictions
from anomaly_mlflow.cleaning.repair import repairs
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption, TrainingDiverged
from anomaly_mlflow.studies.cleaning_gain import accuracies, gains_table
from anomaly_mlflow.tracking.run import Run
from entry_points.cleaner_files import log_cleaned
from entry_points.cleaning_evidence import MAKERS, check_checked, chosen_cleaners, cleaning_evidence, steps_for
from entry_points.fold_files import FIRST_SEED, read_fold, read_out_of_fold, read_training
from entry_points.jobs import jobs_of
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.work_folder import work_folder

logger = logging.getLogger(__name__)

HELD_OUT = "held_out_"
"""What the metrics of the check begin with."""

FIGURES = ("accuracy", "gain", "gain_low", "gain_high")


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
    own=(
        "device",
        "jobs",
        "backend",
        "cleaner_names",
        "checked",
        "repair_cap",
        "repair_confidence",
        "held_out_check",
        "seed",
    ),
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
        frame = frame if _pays(run, frame, upstream, options) else left_alone(frame)
    run.log_frame(frame, "repairs.parquet")
    log_cleaned(run, samples, cleaned)
    trusted = {} if evidence.trusted is None else {"trusted": int(evidence.trusted.sum())}
    run.log_metrics({name: float(frame[name].mean()) for name in ("repaired", "set_aside")} | trusted)


def _pays(run: Run, frame: pd.DataFrame, upstream: Upstream, options: dict) -> bool:
    """Whether held-out labels confirm the repair; not where its models cannot be trained."""
    samples, _ = read_samples(only(upstream, "generate_noise"), as_anybody_sees_them=True)
    folds = only(upstream, "train_folds")
    fold, (config, seed) = read_fold(folds, samples.sample_id), read_training(folds)
    before = read_out_of_fold(folds, samples.sample_id, samples.num_classes).argmax(axis=1)
    try:
        with tqdm(total=fold.max() + 1, desc="held-out check", unit="model", disable=None) as bar:
            how = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
            seed, folder = seed + FIRST_SEED, work_folder(run)
            after = repaired_predictions(samples, frame, fold, config, seed=seed, folder=folder, **how)
    except (BadData, TrainingDiverged) as error:
        logger.warning("the repair cannot be checked, and all labels are left alone: %s", error)
        return False
    found = _gain(samples, before, after, options["seed"])
    run.log_metrics({f"{HELD_OUT}{name}": value for name, value in found.items() if np.isfinite(value)})
    return found["gain"] > 0


def _gain(samples: Samples, before: np.ndarray, after: np.ndarray, seed: int) -> dict[str, float]:
    """What `read_held_out` reads, of the classes that two models foretell."""
    correct = {"given": (before == samples.labels)[None], "repaired": (after == samples.labels)[None]}
    found = gains_table(accuracies(correct, samples.labels, samples.groups, seed=seed))
    return found.set_index("trained on").loc["repaired", [*FIGURES]].astype(float).to_dict()


def read_held_out(made: Run) -> dict[str, float]:
    """How often models of the repaired labels foretell held-out given labels, 0 to 1, and what that gains.

    accuracy, gain (over models of the labels as given), gain_low, gain_high; empty where nothing was checked.
    """
    found = {name: made.metric_history(f"{HELD_OUT}{name}") for name in FIGURES}
    return {name: values[-1] for name, values in found.items() if values}

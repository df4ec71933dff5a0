"""Given labels -> planted probes -> for every label how probably it is wrong, in which way, and how many are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from tqdm import tqdm

from anomaly_mlflow.anomalies.label_probes import PROBES, plant_label_probes
from anomaly_mlflow.anomalies.similarity import Tables, class_distance, class_tables
from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.label_errors import LabelErrors, estimate, measures
from anomaly_mlflow.detection.probe_calibration import unsmoothed
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.report.label_errors import label_error_page
from anomaly_mlflow.signals import SIGNALS
from anomaly_mlflow.signals.label_evidence import label_evidence, out_of_fold, write_plan
from anomaly_mlflow.signals.recorded import within_reach
from anomaly_mlflow.signals.suggestion import suggested_label
from anomaly_mlflow.signals.table import feature_table
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.folds import assign_folds, fit_folds
from anomaly_mlflow.training.recorded import fit_recorded
from entry_points.environment import environment
from entry_points.jobs import jobs_of
from entry_points.noise_checks import check_strangers, columns
from entry_points.options import as_typed
from entry_points.sample_files import DATA, load_options
from entry_points.step import STEPS, Upstream, step
from entry_points.trained import TRAINING, check_pretrained, chosen
from entry_points.work_folder import work_folder

SMOOTHING = 0.2
"""Share of the labels' weight spread over all classes: it ranks errors better (docs/human-noise.md)."""

MOST_PROBES = 0.5

OWN = (*DATA, "labels", *TRAINING, "validation_folds", "near_table", "gross_table", "ood", "probe_share", "draws")


def check(options: dict) -> None:
    """Raises BadOption for options that cannot work here, and for human labels that do not fit."""
    check_pretrained(options)
    check_strangers(options["dataset"], options["ood"].split("|"))
    if "human" in (options["near_table"], options["gross_table"]):
        raise BadOption("class tables of people's confusions need the truth; take near_table, gross_table = embedding")
    if options["probe_share"] > MOST_PROBES:
        raise BadOption(f"probe_share={options['probe_share']:g} leaves too few labels as given; at most {MOST_PROBES}")
    if options["labels"]:
        if len(columns(options["labels"])) != 1:
            raise BadOption(f"labels={options['labels']} must name one column, as in parquet:PATH#COLUMN")
        human_labels(options["labels"], np.empty(0, np.int64), ("",))  # a file that is missing is told before training


@step("estimate_errors", own=OWN, trains=True, check=check)
def estimate_errors(run: Run, options: dict, upstream: Upstream) -> None:
    """Plant known errors among the given labels; estimate which labels are wrong, how probably, how many, how found."""
    samples = load_options(run, options)
    wrong = None
    if options["labels"]:  # then the data set's own labels are the truth, which serves to score and nothing else
        given = human_labels(options["labels"], samples.sample_id, samples.classes)[0]
        wrong = pd.Series(given != samples.labels, index=samples.sample_id)
        samples = replace(samples, labels=given)
    run.log_dataset(samples.images, samples.labels, samples.name, options["dataset"], "training")
    settings = chosen(options) | {"label_smoothing": SMOOTHING}
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **settings)
    run.log_json(config.to_dict(), "training.json")
    found = _estimate(run, samples, config, options)
    run.log_frame(found.table, "label_errors.parquet")
    run.log_table(found.table.head(100).round(3), "most_suspicious.json")
    told = measures(found, wrong)
    run.log_metrics({name: value for name, value in told.items() if np.isfinite(value)})
    facts = as_typed(options, STEPS["estimate_errors"].options) | environment() | {"run": run.link}
    run.log_text(label_error_page(found, samples, wrong, told, facts), "report.html")
    print("\n".join(f"{name:36} {value:.3f}" for name, value in told.items()))


def _estimate(run: Run, samples: Samples, config: TrainConfig, options: dict) -> LabelErrors:
    folder, seed, folds = work_folder(run), options["seed"], options["validation_folds"]
    each = max(1, round(options["probe_share"] * len(samples) / len(PROBES)))
    with tqdm(total=2 * folds + 1, desc="given labels, then with probes", unit="model", disable=None) as bar:
        common = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        fold, logits, tables = _of_given_labels(samples, config, folder / "given", options, common)
        probabilities = _probabilities(logits)
        planted, kinds = plant_label_probes(samples, probabilities, tables, options["ood"], each, seed)
        # That strangers are cut from one photograph is truth: to the models each is a source of its own.
        seen = replace(planted, groups=samples.groups)
        _fit_folds(seen, fold, config, folder / "probes", seed + 4000, common)
        model, recording = fit_recorded(
            seen, config, seed=seed + 5000, folder=folder / "main", device=options["device"]
        )
        bar.update()
    logits = out_of_fold(seen, fold, folder / "probes")[0]
    evidence = label_evidence(seen, folder / "probes", logits, model, recording)
    features = feature_table(evidence, within_reach(evidence, list(SIGNALS)))
    run.log_frame(features.assign(probe=kinds), "features_with_probes.parquet")
    return estimate(
        features,
        planted,
        kinds,
        _probabilities(logits),
        suggested_label(recording),
        draws=options["draws"],
        seed=seed,
    )


def _probabilities(logits: np.ndarray) -> np.ndarray:
    return unsmoothed(softmax(logits.astype(np.float64), axis=1), SMOOTHING)


def _of_given_labels(
    samples: Samples, config: TrainConfig, folder: Path, options: dict, common: dict
) -> tuple[np.ndarray, np.ndarray, Tables]:
    """Folds, out-of-fold logits and class tables of the labels as given: what the probes are drawn from."""
    fold = assign_folds(samples, options["validation_folds"], options["seed"] + 2000)
    _fit_folds(samples, fold, config, folder, options["seed"] + 3000, common)
    logits, embeddings = out_of_fold(samples, fold, folder)
    distances = [
        class_distance(own, samples.labels[fold == k], samples.num_classes) for k, own in enumerate(embeddings)
    ]
    near, far = options["near_table"], options["gross_table"]
    tables = class_tables(samples.classes, np.mean(distances, axis=0), near, far, set_name=samples.name)
    return fold, logits, tables


def _fit_folds(samples: Samples, fold: np.ndarray, config: TrainConfig, folder: Path, seed: int, common: dict) -> None:
    fit_folds(samples, fold, np.ones(len(samples), bool), config, seed=seed, folder=folder, **common)
    write_plan(samples, fold, folder)

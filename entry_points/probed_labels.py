"""Known errors planted among given labels: what the models make of these tells of the others."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.anomalies.label_probes import PROBES, plant_label_probes
from anomaly_mlflow.anomalies.similarity import class_distance, class_tables
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.label_errors import LabelErrors, estimate
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.signals import SIGNALS
from anomaly_mlflow.signals.label_evidence import label_evidence, out_of_fold
from anomaly_mlflow.signals.recorded import within_reach
from anomaly_mlflow.signals.suggestion import suggested_label
from anomaly_mlflow.signals.table import feature_table
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.recorded import fit_recorded
from entry_points.given_labels import cross_fit, fit_every_fold, given_probabilities
from entry_points.jobs import jobs_of
from entry_points.noise_checks import check_strangers
from entry_points.trained import TRAINING
from entry_points.work_folder import work_folder

__all__ = ["PROBING", "ProbedLabels", "check_probes", "probe_labels"]

PROBING = (*TRAINING, "validation_folds", "near_table", "gross_table", "ood", "probe_share", "draws", "seed")
MOST_PROBES = 0.5


@dataclass(frozen=True)
class ProbedLabels:
    """errors: what the probes tell; probabilities: float64 (n, C), out of fold, of models without any probe.

    features: every signal within reach, of rows with and without a probe; probe: kind of probe of each, or "".
    """

    errors: LabelErrors
    probabilities: np.ndarray
    features: pd.DataFrame
    probe: np.ndarray


def check_probes(options: dict) -> None:
    """Raises BadOption for probes that need the truth, are too many, or come from the set itself."""
    check_strangers(options["dataset"], options["ood"].split("|"))
    if "human" in (options["near_table"], options["gross_table"]):
        raise BadOption("class tables of people's confusions need the truth; take near_table, gross_table = embedding")
    if options["probe_share"] > MOST_PROBES:
        raise BadOption(f"probe_share={options['probe_share']:g} leaves too few labels as given; at most {MOST_PROBES}")


def probe_labels(run: Run, samples: Samples, config: TrainConfig, options: dict) -> ProbedLabels:
    """Train on the given labels fold by fold, plant probes, train again with them, and estimate what is wrong."""
    folder, seed, folds = work_folder(run), options["seed"], options["validation_folds"]
    each = max(1, round(options["probe_share"] * len(samples) / len(PROBES)))
    with tqdm(total=2 * folds + 1, desc="given labels, then with probes", unit="model", disable=None) as bar:
        common = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        fold, logits, embeddings = cross_fit(samples, config, folder / "given", options, common)
        probabilities = given_probabilities(logits)
        distances = [
            class_distance(own, samples.labels[fold == k], samples.num_classes) for k, own in enumerate(embeddings)
        ]
        near, far = options["near_table"], options["gross_table"]
        tables = class_tables(samples.classes, np.mean(distances, axis=0), near, far, set_name=samples.name)
        planted, kinds = plant_label_probes(samples, probabilities, tables, options["ood"], each, seed)
        # That strangers are cut from one photograph is truth: to the models each is a source of its own.
        seen = replace(planted, groups=samples.groups)
        fit_every_fold(seen, fold, config, folder / "probes", seed + 4000, common)
        model, recording = fit_recorded(
            seen, config, seed=seed + 5000, folder=folder / "main", device=options["device"]
        )
        bar.update()
    logits = out_of_fold(seen, fold, folder / "probes")[0]
    evidence = label_evidence(seen, folder / "probes", logits, model, recording)
    features = feature_table(evidence, within_reach(evidence, list(SIGNALS)))
    errors = estimate(
        features,
        planted,
        kinds,
        given_probabilities(logits),
        suggested_label(recording),
        draws=options["draws"],
        seed=seed,
    )
    return ProbedLabels(errors, probabilities, features, kinds)

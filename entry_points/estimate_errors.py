"""Given labels -> planted probes -> for every label how probably it is wrong, in which way, and how many are."""

from dataclasses import replace

import numpy as np
import pandas as pd

from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.detection.label_errors import measures
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.report.label_errors import label_error_page
from anomaly_mlflow.tracking.run import Run
from entry_points.environment import environment
from entry_points.given_labels import given_config
from entry_points.noise_checks import columns
from entry_points.options import as_typed
from entry_points.probed_labels import PROBING, check_probes, probe_labels
from entry_points.sample_files import DATA, load_options
from entry_points.step import STEPS, Upstream, step
from entry_points.trained import check_pretrained


def check(options: dict) -> None:
    """Raises BadOption for options that cannot work here, and for human labels that do not fit."""
    check_pretrained(options)
    check_probes(options)
    if options["labels"]:
        if len(columns(options["labels"])) != 1:
            raise BadOption(f"labels={options['labels']} must name one column, as in parquet:PATH#COLUMN")
        human_labels(options["labels"], np.empty(0, np.int64), ("",))  # a file that is missing is told before training


@step("estimate_errors", own=(*DATA, "labels", *PROBING), trains=True, check=check)
def estimate_errors(run: Run, options: dict, upstream: Upstream) -> None:
    """Plant known errors among the given labels; estimate which labels are wrong, how probably, how many, how found."""
    samples = load_options(run, options)
    wrong = None
    if options["labels"]:  # then the data set's own labels are the truth, which serves to score and nothing else
        given = human_labels(options["labels"], samples.sample_id, samples.classes)[0]
        wrong = pd.Series(given != samples.labels, index=samples.sample_id)
        samples = replace(samples, labels=given)
    run.log_dataset(samples.images, samples.labels, samples.name, options["dataset"], "training")
    probed = probe_labels(run, samples, given_config(run, samples, options), options)
    found = probed.errors
    run.log_frame(probed.features.assign(probe=probed.probe), "features_with_probes.parquet")
    run.log_frame(found.table, "label_errors.parquet")
    run.log_table(found.table.head(100).round(3), "most_suspicious.json")
    told = measures(found, wrong)
    run.log_metrics({name: value for name, value in told.items() if np.isfinite(value)})
    facts = as_typed(options, STEPS["estimate_errors"].options) | environment() | {"run": run.link}
    run.log_text(label_error_page(found, samples, wrong, told, facts), "report.html")
    print("\n".join(f"{name:36} {value:.3f}" for name, value in told.items()))

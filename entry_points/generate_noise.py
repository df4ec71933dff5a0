"""Data source and baseline -> samples with anomalies, the ledger of truth, a preview."""

import numpy as np

from anomaly_mlflow.anomalies.difficulty import hard_rows, out_of_fold_margin
from anomaly_mlflow.anomalies.plan import check_shares, inject, rates
from anomaly_mlflow.anomalies.similarity import class_tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.report.preview import preview_grid
from anomaly_mlflow.tracking.run import Run
from entry_points.sample_files import load_again, write_samples
from entry_points.step import Upstream, only, step

SHARES = {
    AnomalyType.NEAR_MISS: "near_miss_share",
    AnomalyType.GROSS: "gross_share",
    AnomalyType.RANDOM_FLIP: "random_flip_share",
    AnomalyType.OOD: "ood_share",
    AnomalyType.HARD: "hard_share",
}


def shares(options: dict) -> dict[AnomalyType, float]:
    """Share of each type."""
    return {kind: options[name] for kind, name in SHARES.items()}


def check_options(options: dict) -> None:
    """Raises BadOption for shares that do not fit, and for strangers out of the data set itself."""
    check_shares(shares(options))
    if sum(shares(options).values()) > 0.9:
        raise BadOption("the shares of all types leave too few clean rows for a clean side; lower them to 0.9 in all")
    (host, _, part), (other, _, other_part) = (options[name].partition("?") for name in ("dataset", "ood"))
    # Two parts of one file may differ in their classes; the whole file holds every part.
    if host == other and (part == other_part or not (part and other_part)):
        raise BadOption(f"ood={options['ood']} is the data set itself; name images of no class")


@step(
    "generate_noise",
    own=("seed", *SHARES.values(), "near_table", "gross_table", "ood", "ood_label"),
    needs=("train_baseline",),
    run_option="noise_run",
    check=check_options,
)
def generate_noise(run: Run, options: dict, upstream: Upstream) -> None:
    """Inject near-miss, gross and random label errors and images of no class; mark the hard ones; keep the ledger."""
    baseline = only(upstream, "train_baseline")
    samples = load_again(baseline, run)
    out_of_fold = baseline.frame("baseline/out_of_fold.parquet", {"sample_id": int, "logits": object})
    if not np.array_equal(out_of_fold["sample_id"], samples.sample_id):
        raise BadData(f"the data source has changed since run {baseline.id}; run train_baseline again")
    margin = out_of_fold_margin(np.stack(out_of_fold["logits"]), samples.labels)
    distance = baseline.frame("baseline/class_distance.parquet").to_numpy()
    tables = class_tables(samples.classes, distance, near=options["near_table"], far=options["gross_table"])
    noisy, ledger = inject(
        samples,
        shares(options),
        tables,
        hard=hard_rows(margin, options["hard_share"]),
        strangers_spec=options["ood"],
        ood_label=options["ood_label"],
        seed=options["seed"],
    )
    run.log_dataset(noisy.images, noisy.labels, noisy.name, run.tags["anomaly.dataset"], "anomalies injected")
    write_samples(run, noisy, (ledger["anomaly_type"] == AnomalyType.OOD).to_numpy())
    run.log_frame(ledger, "ledger.parquet")
    run.log_json(rates(ledger), "rates.json")
    run.log_figure(preview_grid(noisy, ledger, seed=options["seed"]), "preview.png")
    run.log_metrics(
        {f"share.{kind}": share for kind, share in ledger["anomaly_type"].value_counts(normalize=True).items()}
    )

"""Data source and baseline -> samples with anomalies, the ledger of truth, a preview."""

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.anomalies.confusion import confusion_rates
from anomaly_mlflow.anomalies.difficulty import difficulty, disputed, drawn_rows, hard_rows, matched_rows
from anomaly_mlflow.anomalies.difficulty import out_of_fold_margin as margin_of
from anomaly_mlflow.anomalies.inject import inject
from anomaly_mlflow.anomalies.plan import Plan
from anomaly_mlflow.anomalies.rates import convention_rates, rates
from anomaly_mlflow.anomalies.similarity import Tables, by_name, class_tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.report.preview import preview_grid
from anomaly_mlflow.tracking.run import Run
from entry_points.fold_files import number_lists
from entry_points.label_table import refuse_moved
from entry_points.noise_checks import SHARES, check_noise, columns, convention_of, shares
from entry_points.sample_files import load_again, write_samples
from entry_points.step import Upstream, only, step

PEOPLE = ("labels", "raters", "confusion")
RULES = ("hard_by", "near_miss_from", "near_table", "gross_table", "convention", "convention_rate")


@step(
    "generate_noise",
    own=("seed", *SHARES.values(), *RULES, *PEOPLE, "ood", "ood_label"),
    needs=("train_baseline",),
    run_option="noise_run",
    check=check_noise,
)
def generate_noise(run: Run, options: dict, upstream: Upstream) -> None:
    """Inject label errors and images of no class, take over human errors, mark the hard ones; keep the ledger."""
    baseline = only(upstream, "train_baseline")
    samples = load_again(baseline, run)
    people = {name: human_labels(options[name], samples.sample_id, samples.classes) for name in PEOPLE if options[name]}
    if options["labels"]:
        refuse_moved(options["labels"], samples.sample_id, options["dataset"])
    tables = _tables(baseline, samples, people.get("confusion"), options)
    given = people["labels"][0] if "labels" in people else None
    right = np.ones(len(samples), bool) if given is None else given == samples.labels
    logits = _out_of_fold(baseline, samples)
    hard, near_miss_among = _hard(logits, samples, tables, people.get("raters"), right, options)
    plan = Plan(
        shares(options),
        tables,
        hard,
        hard_by=options["hard_by"],
        near_miss_among=near_miss_among,
        strangers_spec=options["ood"],
        ood_label=options["ood_label"],
        convention=convention_of(options),
        convention_rate=options["convention_rate"],
        eta=softmax(logits.astype(np.float64), axis=1),
        given=given,
        given_source=columns(options["labels"])[0] if options["labels"] else "",
        seed=options["seed"],
    )
    noisy, ledger = inject(samples, plan)
    clean = float((ledger["anomaly_type"] == AnomalyType.CLEAN).mean())
    if clean < 0.1 and (plan.convention or plan.given is not None):
        raise BadOption(f"{clean:.1%} of the images stay clean, too few for a clean side; lower rate and shares")
    run.log_dataset(noisy.images, noisy.labels, noisy.name, run.tags["anomaly.dataset"], "anomalies injected")
    write_samples(run, noisy, (ledger["anomaly_type"] == AnomalyType.OOD).to_numpy())
    run.log_frame(ledger, "ledger.parquet")
    found = rates(ledger)
    if plan.convention:
        found |= convention_rates(ledger, plan.convention, plan.convention_rate)
    run.log_json(found, "rates.json")
    run.log_json(by_name(tables, samples.classes), "class_tables.json")
    run.log_figure(preview_grid(noisy, ledger, seed=options["seed"]), "preview.png")
    run.log_metrics(
        {f"share.{kind}": share for kind, share in ledger["anomaly_type"].value_counts(normalize=True).items()}
    )


def _tables(baseline: Run, samples: Samples, confusion: np.ndarray | None, options: dict) -> Tables:
    return class_tables(
        samples.classes,
        baseline.frame("baseline/class_distance.parquet").to_numpy(),
        near=options["near_table"],
        far=options["gross_table"],
        set_name=samples.name,
        confusion=None if confusion is None else confusion_rates(*confusion, samples.num_classes),
    )


def _out_of_fold(baseline: Run, samples: Samples) -> np.ndarray:
    """Logits of the baseline's models of other folds, float32 (n, C). Raises BadData for those of other samples."""
    table = "baseline/out_of_fold.parquet"
    out_of_fold = baseline.frame(table, {"sample_id": int, "logits": object})
    logits = number_lists(out_of_fold["logits"], baseline, table)
    if not np.array_equal(out_of_fold["sample_id"], samples.sample_id) or logits.shape[1] != samples.num_classes:
        raise BadData(f"the data source has changed since run {baseline.id}; run train_baseline again")
    return logits


def _hard(
    logits: np.ndarray, samples: Samples, tables: Tables, raters: np.ndarray | None, right: np.ndarray, options: dict
) -> tuple[np.ndarray, np.ndarray | None]:
    """The hard rows, and those that near misses are drawn from where these are not all."""
    share, seed = options["hard_share"], options["seed"]
    if raters is not None:
        return drawn_rows(right & disputed(raters, samples.labels), share, seed), None
    hardness = difficulty(margin_of(logits, samples.labels), options["hard_by"])
    if options["near_miss_from"] == "any":
        return hard_rows(hardness, share, right), None
    has_partner = np.isin(samples.labels, list(tables.near))
    return matched_rows(hardness, share, options["near_miss_share"], right & has_partner, seed)

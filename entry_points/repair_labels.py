"""Trained models and a recording -> what cleaners say of every label, which labels are changed, and a table of them."""

import pandas as pd

from anomaly_mlflow.cleaning.repair import repaired_labels, repairs
from anomaly_mlflow.data.listing import list_source
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.run import Run
from entry_points.cleaner_files import log_cleaned
from entry_points.cleaning_evidence import MAKERS, chosen_cleaners, cleaning_evidence, steps_for
from entry_points.step import Upstream, only, step

LABELS = "cleaned_labels.parquet"


def check_repair(options: dict) -> None:
    """Raises as `chosen_cleaners` does, and BadOption where no two of them could be witnesses."""
    mechanisms = {one.mechanism for one in chosen_cleaners(options["cleaner_names"]) if one.repairs}
    if len(mechanisms) < 2:
        known = f"these have {', '.join(mechanisms)} alone" if mechanisms else "these propose no labels"
        raise BadOption(f"cleaner_names={options['cleaner_names']}: a repair needs two mechanisms, and {known}")


@step(
    "repair_labels",
    own=("cleaner_names", "repair_cap", "repair_confidence", "seed"),
    needs=("generate_noise", *MAKERS),
    run_option="repairs_run",
    check=check_repair,
    narrow=lambda options: steps_for(options["cleaner_names"]),
)
def repair_labels(run: Run, options: dict, upstream: Upstream) -> None:
    """Change the labels on which cleaners that look at different things agree; the ledger is not read."""
    names = options["cleaner_names"]
    samples, evidence = cleaning_evidence(names, options, upstream)
    cleaned = {one.name: one(evidence, seed=options["seed"]) for one in chosen_cleaners(names)}
    frame = repairs(
        samples.sample_id,
        samples.labels,
        cleaned,
        cap=options["repair_cap"],
        least_confidence=options["repair_confidence"],
        probabilities=evidence.out_of_fold_probabilities if evidence.out_of_fold is not None else None,
    )
    run.log_frame(frame, "repairs.parquet")
    log_cleaned(run, samples, cleaned)
    labels = repaired_labels(frame)
    table = {"sample_id": samples.sample_id, "label": labels, "class": [samples.classes[label] for label in labels]}
    run.log_frame(pd.DataFrame(table).assign(source=_titles(only(upstream, "generate_noise"), samples)), LABELS)
    run.log_metrics({"repaired": float(frame["repaired"].mean())})


def _titles(noise: Run, samples: Samples) -> list[str]:
    """How the data source calls each sample: the path of its file, or its index."""
    listing = list_source(noise.json("data.json")["dataset"])
    rows = pd.Index(listing.sample_id).get_indexer(samples.sample_id)
    return [listing.title(row) for row in rows]

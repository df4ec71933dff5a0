"""Trained models and a recording -> what cleaners say of every label, and which labels are changed."""

from anomaly_mlflow.cleaning.base import OUTSIDE
from anomaly_mlflow.cleaning.repair import repairs
from anomaly_mlflow.cleaning.repair_floor import left_alone, repairable_share
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.tracking.run import Run
from entry_points.cleaner_files import log_cleaned
from entry_points.cleaning_evidence import MAKERS, check_checked, chosen_cleaners, cleaning_evidence, steps_for
from entry_points.step import Upstream, step


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


@step(
    "repair_labels",
    own=("cleaner_names", "checked", "repair_cap", "repair_confidence", "repair_floor", "seed"),
    needs=("generate_noise", *MAKERS),
    run_option="repairs_run",
    check=check_repair,
    narrow=lambda options: steps_for(options["cleaner_names"], options["checked"]),
)
def repair_labels(run: Run, options: dict, upstream: Upstream) -> None:
    """Change labels on which different cleaners agree, where they are too many for model errors; no truth is read."""
    names = options["cleaner_names"]
    samples, evidence = cleaning_evidence(names, options, upstream)
    cleaned = {one.name: one(evidence, seed=options["seed"]) for one in chosen_cleaners(names, options["checked"])}
    frame = repairs(
        samples.sample_id,
        samples.labels,
        cleaned,
        cap=options["repair_cap"],
        least_confidence=options["repair_confidence"],
        probabilities=evidence.out_of_fold_probabilities,
    )
    predicted = evidence.out_of_fold.argmax(axis=1)
    repairable, contradicted = repairable_share(frame, predicted), int((predicted != samples.labels).sum())
    below = repairable < options["repair_floor"]
    frame = left_alone(frame) if below else frame
    end = f"; below repair_floor={options['repair_floor']:g}, all labels are left alone" if below else ""
    others = f"{contradicted:,} labels that models of other folds contradict"
    print(f"surely contradicted: {repairable:.1%} of the {others}{end}")
    run.log_frame(frame, "repairs.parquet")
    log_cleaned(run, samples, cleaned)
    trusted = {} if evidence.trusted is None else {"trusted": int(evidence.trusted.sum())}
    shares = {name: float(frame[name].mean()) for name in ("repaired", "set_aside")}
    run.log_metrics(shares | {"repairable": repairable} | trusted)

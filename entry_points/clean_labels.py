"""A data source -> repaired labels in a table that every source reads back, and what training on them gains."""

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.repair import repaired_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.report.cleaning_page import Cleaning, cleaning_page, gain_sentence
from anomaly_mlflow.studies.cleaning_gain import accuracies, gains_table
from anomaly_mlflow.studies.repair_measures import measure_repairs
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.run import Run
from entry_points.child_runs import child_runs
from entry_points.cleaner_files import read_repairs
from entry_points.environment import environment
from entry_points.fold_files import number_lists
from entry_points.injecting import injecting
from entry_points.label_table import LABELS, label_table
from entry_points.ledger import read_ledger
from entry_points.named_runs import all_needs
from entry_points.options import as_typed
from entry_points.resolve import resolve
from entry_points.retrain import REPAIRED, check_retrain, read_correct
from entry_points.sample_files import read_samples
from entry_points.step import STEPS, Upstream, only, step
from entry_points.trained import TRAINING

ALWAYS, WITH_TRUTH = ("given", "cleaned", "certain"), ("oracle", "random_removal")


def check_cleaning(options: dict) -> None:
    """Raises what the steps upstream raise for these options, before anything is made."""
    options = injecting(options)
    check_retrain(options | {"variant": "cleaned"})
    for name in ("repair_labels", *all_needs(STEPS["repair_labels"], options)):
        STEPS[name].check(options)


@step(
    "clean_labels",
    own=("inject", *TRAINING, "learner", "retrain_seed", "retrain_seeds", "draws"),
    needs=("repair_labels",),
    check=check_cleaning,
    narrow=lambda options: (),
)
def clean_labels(run: Run, options: dict, upstream: Upstream) -> None:
    """Repair labels on which two mechanisms agree, retrain, and tell the gain; if killed, it goes on where it was."""
    options = injecting(options)
    named = {"repair_labels": [Run(one) for one in resolve(STEPS["repair_labels"], options, run)]}
    repairs = only(named, "repair_labels")
    noise = Run(upstream_of(repairs)["generate_noise"][0])
    samples, _ = read_samples(noise)
    frame, truth = read_repairs(repairs, samples), _truth(noise, samples) if options["inject"] == "yes" else None
    run.log_frame(frame, "repairs.parquet")
    run.log_frame(label_table(samples, repaired_labels(frame), noise.json("data.json")["dataset"]), LABELS)
    named = options | {"repairs_run": repairs.id, "noise_run": noise.id, "scores_run": None, "scored": "all"}
    names = [*ALWAYS, *(WITH_TRUTH if truth is not None else ())]
    changed = frame[["repaired", "set_aside"]].any(axis=None)
    variants = [name for name in names if changed or name not in REPAIRED]
    seeds = [named["retrain_seed"] + number for number in range(named["retrain_seeds"])]
    asked = [named | {"variant": name, "retrain_seed": seed} for name in variants for seed in seeds]
    made = child_runs("retrain", asked, run)
    by_variant = {name: made[place * len(seeds) : (place + 1) * len(seeds)] for place, name in enumerate(variants)}
    by_variant = {name: by_variant.get(name, by_variant["given"]) for name in names}  # the same labels: the same runs
    _log(run, options, _found(samples, frame, truth, by_variant, _repairable(repairs), options))
    runs = {"generate_noise": [noise.id], "repair_labels": [repairs.id], "retrain": [one.id for one in made]}
    run.log_json(runs, "upstream.json")


def _truth(noise: Run, samples: Samples) -> np.ndarray:
    """True labels, -1 for images of no class: the data set's own, where somebody said that they are right."""
    return read_ledger(noise, samples.sample_id)["true_label"].to_numpy()


def _repairable(repairs: Run) -> float:
    return (repairs.metric_history("repairable") or [float("nan")])[-1]


def _found(
    samples: Samples,
    frame: pd.DataFrame,
    truth: np.ndarray | None,
    made: dict[str, list[Run]],
    repairable: float,
    options: dict,
) -> Cleaning:
    how = {"draws": options["draws"], "seed": options["seed"]}
    tested = {name: [read_correct(one) for one in runs] for name, runs in made.items()}
    correct = {name: np.stack([one["correct"].to_numpy() for one in each]) for name, each in tested.items()}
    test = tested["given"][0]
    gains = gains_table(accuracies(correct, test["label"].to_numpy(), test["group"].to_numpy(), **how))
    mapped, before = _embeddings(made["given"][0])
    return Cleaning(
        samples,
        frame,
        gains,
        truth,
        None if truth is None else measure_repairs(frame, truth, samples.groups, **how),
        pd.Index(samples.sample_id).get_indexer(mapped),
        before,
        _embeddings(made["cleaned"][0])[1],
        repairable,
    )


def _embeddings(made: Run) -> tuple[np.ndarray, np.ndarray]:
    frame = made.frame("embeddings.parquet", {"sample_id": int, "embedding": object})
    return frame["sample_id"].to_numpy(), number_lists(frame["embedding"], made, "embeddings.parquet")


def _log(run: Run, options: dict, found: Cleaning) -> None:
    tables = {"gains": found.gains} | ({} if found.measures is None else {"measures": found.measures})
    for name, frame in tables.items():
        run.log_frame(frame, f"{name}.csv")
        run.log_table(frame.round(4), f"{name}.json")
    facts = {**as_typed(options, STEPS["clean_labels"].options), **environment(), "this run": run.link}
    run.log_text(cleaning_page(found, facts, options["seed"]), "report.html")
    told = {f"{row['trained on']}.accuracy": row["accuracy"] for _, row in found.gains.iterrows()}
    told |= {f"{row['trained on']}.gain": row["gain"] for _, row in found.gains.iterrows()}
    run.log_metrics({name: value for name, value in told.items() if np.isfinite(value)})
    shares = {name: float(found.frame[name].mean()) for name in ("repaired", "set_aside")}
    run.log_metrics(shares | ({"repairable": found.repairable} if np.isfinite(found.repairable) else {}))
    print("\n" + "\n\n".join(frame.to_string(index=False, float_format=_short) for frame in tables.values()))
    print(f"\n{gain_sentence(found)}\n\nlabels: {run.path(LABELS)}\nrun:    {run.link}")


def _short(value: float) -> str:
    return f"{value:.3f}"

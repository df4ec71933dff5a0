"""Trained models and a recording -> what every cleaner says of the labels, then the truth: how right each is."""

import logging
import time
from dataclasses import replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.cleaning import Cleaned, Cleaner
from anomaly_mlflow.cleaning.anchor_ablation import BASELINES
from anomaly_mlflow.errors import AnomalyError, BadData
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.studies.cleaner_measures import measure_cleaners
from anomaly_mlflow.tracking.run import Run
from entry_points.checked_labels import refuse_truth
from entry_points.cleaner_files import log_cleaned
from entry_points.cleaning_evidence import MAKERS, check_checked, chosen_cleaners, cleaning_evidence, steps_for
from entry_points.ledger import read_ledger
from entry_points.step import Upstream, only, step

logger = logging.getLogger(__name__)


def check_scored(options: dict) -> None:
    """Raises as `chosen_cleaners` and `check_checked`."""
    chosen_cleaners(options["scored"], options["checked"])
    check_checked(options)


@step(
    "score_cleaners",
    own=("scored", "checked", "seed", "draws"),
    needs=("generate_noise", *MAKERS),
    run_option="scores_run",
    check=check_scored,
    narrow=lambda options: steps_for(options["scored"], options["checked"]),
)
def score_cleaners(run: Run, options: dict, upstream: Upstream) -> None:
    """Let cleaners judge the given labels, and measure them against the ledger: selection, repair, CPU seconds."""
    samples, evidence = cleaning_evidence(options["scored"], options, upstream)
    chosen, cleaned, seconds, unanswered = chosen_cleaners(options["scored"], options["checked"]), {}, {}, {}
    for one in tqdm(chosen, desc="cleaners", unit="cleaner", disable=None, position=options.get("bar")):
        try:
            cleaned[one.name], seconds[one.name] = _timed(one, evidence, options["seed"])
        except AnomalyError as error:
            unanswered[one.name] = str(error)
            logger.warning("no answer: %s", error)
    if not cleaned:
        raise BadData(f"none of the cleaners could answer; the first said: {next(iter(unanswered.values()))}")
    log_cleaned(run, samples, cleaned)
    # Only now is the truth read.
    truth = read_ledger(only(upstream, "generate_noise"), samples.sample_id)["true_label"].to_numpy()
    facts = {"rows": len(samples), "rate": float((samples.labels != truth).mean())}
    if options["checked"]:
        refuse_truth(options["checked"], samples, truth)
    if evidence.trusted is not None:
        facts["trusted"] = int(evidence.trusted.sum())
    repairing = {one.name: one.repairs for one in chosen if one.name in cleaned}
    how = {"pairs": BASELINES, "draws": options["draws"], "own_seed": options["seed"]}
    found = measure_cleaners(cleaned, repairing, samples.labels, truth, samples.groups, **how)
    run.log_frame(found.value.rename_axis("figure").rename("value").reset_index(), "measures.parquet")
    run.log_frame(found.draws.astype(np.float32), "draws.parquet")
    told = {"dataset": samples.name, "seconds": seconds, "unanswered": unanswered}
    run.log_json(facts | told, "facts.json")
    run.log_table(_shown(found.value, seconds), "cleaners.json")
    run.log_metrics(facts | {name: value for name, value in found.value.items() if np.isfinite(value)})


def _timed(cleaner: Cleaner, evidence: Evidence, seed: int) -> tuple[Cleaned, float]:
    """What it says, and its CPU seconds: it computes all that it derives itself, whoever else has done so before."""
    record = evidence.recording
    own = replace(evidence, recording=None if record is None else replace(record))
    start = time.process_time()
    found = cleaner(own, seed=seed)
    return found, time.process_time() - start


def _shown(values: pd.Series, seconds: dict[str, float]) -> pd.DataFrame:
    parts = values.index.str.rpartition(".")  # names of cleaners may hold one
    frame = pd.DataFrame({"cleaner": parts.get_level_values(0), "measure": parts.get_level_values(2), "value": values})
    lines = frame.pivot(index="cleaner", columns="measure", values="value").round(3)
    return lines.assign(cpu_seconds=pd.Series(seconds).round(2)).reset_index()

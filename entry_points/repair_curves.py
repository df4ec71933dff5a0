"""From the runs of `score_cleaners` to what the repair by some of their cleaners does to the labels, noise by noise."""

import pandas as pd

from anomaly_mlflow.studies.cleaner_grid import Noise
from anomaly_mlflow.studies.repair_curve import CONFIDENCES, repair_curve, repair_figures
from anomaly_mlflow.studies.resampled import Resampled
from anomaly_mlflow.tracking.lifecycle import upstream_of
from anomaly_mlflow.tracking.run import Run
from entry_points.cleaner_files import read_cleaned
from entry_points.cleaning_evidence import chosen_cleaners
from entry_points.ledger import read_ledger
from entry_points.sample_files import read_samples

__all__ = ["repair_curves"]


def repair_curves(noises: list[Noise], scored: list[list[Run]], options: dict) -> tuple[pd.DataFrame | None, str]:
    """`repair_curve` of all noises, or None and why there is none; scored: the runs of each noise, one a seed."""
    names = [one.name for one in chosen_cleaners(options["cleaner_names"], options["checked"])]
    lacking = sorted(set(names) - _answered(scored))
    if lacking:
        return None, f"what a repair does is not told: {', '.join(lacking)} is not scored, or gave no answer"
    chosen, tables = options["repair_confidence"], []
    for noise, runs in zip(noises, scored, strict=True):
        seeds = [_figures(one, names, options) for one in runs]
        tables.append(repair_curve(noise.name, seeds, chosen, options["seed"]))
    return pd.concat(tables, ignore_index=True), ""


def _answered(scored: list[list[Run]]) -> set[str]:
    """The cleaners that answered in every run."""
    told = [set(one.json("facts.json")["seconds"]) for runs in scored for one in runs]
    return set.intersection(*told)


def _figures(made: Run, names: list[str], options: dict) -> Resampled:
    noise = Run(upstream_of(made)["generate_noise"][0])
    samples, _ = read_samples(noise)
    truth = read_ledger(noise, samples.sample_id)["true_label"].to_numpy()
    cleaned = {name: read_cleaned(made, name, samples) for name in names}
    how = {"cap": options["repair_cap"], "draws": options["draws"], "seed": made.json("config.json")["seed"]}
    confidences = sorted({*CONFIDENCES, options["repair_confidence"]})
    return repair_figures(samples.labels, truth, samples.groups, cleaned, confidences, **how)

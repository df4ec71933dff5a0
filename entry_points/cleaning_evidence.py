"""What the cleaners asked for look at, from the runs upstream; the ledger is not read."""

from anomaly_mlflow.cleaning import CLEANERS, Cleaner, find_cleaner
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.signals.collect import collect
from anomaly_mlflow.signals.demand import FROM_FOLDS, FROM_NOISY, FROM_THRESHOLDS
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.tracking.registry import model_folder
from anomaly_mlflow.training.epoch_files import read_recording
from entry_points.fold_files import read_out_of_fold, read_probes, read_second_splits
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only
from entry_points.threshold_files import read_threshold_runs

__all__ = ["MAKERS", "chosen_cleaners", "cleaning_evidence", "steps_for"]

MAKERS = {"train_folds": FROM_FOLDS, "train_noisy": FROM_NOISY, "train_thresholds": FROM_THRESHOLDS}
"""Step -> the fields of Evidence that it makes."""

MADE = set().union(*MAKERS.values())
PASSES = 30


def chosen_cleaners(names: str) -> list[Cleaner]:
    """The cleaners of these names, separated by commas, in their order; `all`: those whose evidence a step makes.

    Raises UnknownName, and BadOption for one that needs what no step makes.
    """
    if names == "all":
        return [one for _, one in sorted(CLEANERS.items()) if set(one.needs) <= MADE]
    chosen = [find_cleaner(name) for name in sorted({name.strip() for name in names.split(",")})]
    for one in chosen:
        lacking = sorted(set(one.needs) - MADE)
        if lacking:
            raise BadOption(f"cleaner {one.name} needs {', '.join(lacking)}, which no step makes; leave it out")
    return chosen


def steps_for(names: str) -> set[str]:
    """The steps upstream that make what these cleaners look at. Raises as `chosen_cleaners`."""
    needs = _needs(names)
    return {"generate_noise", *(name for name, made in MAKERS.items() if needs & made)}


def cleaning_evidence(names: str, options: dict, upstream: Upstream) -> tuple[Samples, Evidence]:
    """The samples with their given labels, and what these cleaners need of them."""
    samples, test = read_samples(only(upstream, "generate_noise"))
    made = {name: only(upstream, name) for name in upstream}
    folds, noisy, thresholds = (made.get(name) for name in MAKERS)
    evidence = collect(
        samples,
        _needs(names),
        clean=None,
        noisy=noisy and model_folder(noisy),
        snapshots=noisy and noisy.path("snapshots"),
        recording=noisy and read_recording(noisy.path("recording")),
        out_of_fold=folds and read_out_of_fold(folds, samples.sample_id, samples.num_classes),
        second_split=folds and read_second_splits(folds, samples.sample_id),
        probes=folds and read_probes(folds, samples.sample_id),
        reference=test,
        passes=PASSES,
        seed=options["seed"],
        threshold_runs=thresholds and read_threshold_runs(thresholds, samples.sample_id),
    )
    return samples, evidence


def _needs(names: str) -> set[str]:
    return {need for one in chosen_cleaners(names) for need in one.needs}

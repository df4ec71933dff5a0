"""What the cleaners asked for look at, from the runs upstream; the ledger is not read."""

from anomaly_mlflow.cleaning import CLEANERS, GROUPS, Cleaner, find_cleaner
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.signals.collect import collect
from anomaly_mlflow.signals.evidence import Evidence
from anomaly_mlflow.tracking.registry import model_folder
from anomaly_mlflow.training.epoch_files import read_recording
from entry_points.checked_labels import check_table, trusted_rows
from entry_points.fold_files import read_out_of_fold
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only
from entry_points.threshold_files import read_threshold_runs

__all__ = ["MAKERS", "check_checked", "chosen_cleaners", "cleaning_evidence", "steps_for"]

MAKERS = {
    "train_folds": {"out_of_fold"},
    "train_noisy": {"recording", "logits", "embeddings", "head"},
    "train_thresholds": {"threshold_runs"},
}
"""Step -> the fields of Evidence that cleaners look at and it makes."""

MADE = set().union(*MAKERS.values())
CHECKED = "trusted"
"""The field that no step makes, but the option `checked`."""

LISTS = ("scored", "cleaner_names")
"""Options that name cleaners."""


def chosen_cleaners(names: str, checked: str | None) -> list[Cleaner]:
    """The cleaners of these names and groups, separated by commas, sorted; `all`: those whose evidence there is.

    checked: the option. Raises UnknownName, and BadOption for one that needs what there is not.
    """
    there = MADE | ({CHECKED} if checked else set())
    chosen = {one.name: one for word in names.split(",") for one in _asked(word.strip(), there)}
    for one in chosen.values():
        lacking = sorted(set(one.needs) - there)
        if lacking:
            mend = "name labels that somebody has checked with the option checked, or " if CHECKED in lacking else ""
            raise BadOption(f"cleaner {one.name} needs {', '.join(lacking)}, which no step makes; {mend}leave it out")
    return [chosen[name] for name in sorted(chosen)]


def check_checked(options: dict) -> None:
    """Raises as `check_table`, and BadOption where none of the cleaners asked for looks at checked labels."""
    checked = options["checked"]
    if not checked:
        return
    check_table(checked)
    lists = [options[name] for name in LISTS if name in options]
    if not any(CHECKED in one.needs for names in lists for one in chosen_cleaners(names, checked)):
        raise BadOption(f"checked={checked} has no effect without a cleaner that looks at it, such as conformal_fdr")


def steps_for(names: str, checked: str | None) -> set[str]:
    """The steps upstream that make what these cleaners look at. Raises as `chosen_cleaners`."""
    needs = _needs(names, checked)
    return {"generate_noise", *(name for name, made in MAKERS.items() if needs & made)}


def cleaning_evidence(names: str, options: dict, upstream: Upstream) -> tuple[Samples, Evidence]:
    """The samples with their given labels, and what these cleaners need of them: nothing else is read."""
    samples, _ = read_samples(only(upstream, "generate_noise"))
    needs, checked = _needs(names, options["checked"]), options["checked"]
    folds, noisy, thresholds = (only(upstream, name) if made & needs else None for name, made in MAKERS.items())
    evidence = collect(
        samples,
        needs,
        clean=None,
        noisy=noisy and model_folder(noisy),
        snapshots=None,
        recording=read_recording(noisy.path("recording")) if "recording" in needs else None,
        out_of_fold=folds and read_out_of_fold(folds, samples.sample_id, samples.num_classes),
        second_split=None,
        probes=None,
        reference=None,
        passes=0,
        seed=options["seed"],
        threshold_runs=thresholds and read_threshold_runs(thresholds, samples.sample_id),
        trusted=trusted_rows(checked, samples) if CHECKED in needs else None,
    )
    return samples, evidence


def _asked(word: str, there: set[str]) -> list[Cleaner]:
    """The cleaners that one word of a list asks for."""
    if word == "all":
        return [one for one in CLEANERS.values() if set(one.needs) <= there]
    return list(GROUPS[word].values()) if word in GROUPS else [find_cleaner(word)]


def _needs(names: str, checked: str | None) -> set[str]:
    return {need for one in chosen_cleaners(names, checked) for need in one.needs}

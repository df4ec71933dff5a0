"""Registered models and recording -> feature table."""

from anomaly_mlflow.models.frozen import frozen_digest
from anomaly_mlflow.signals import SIGNALS, Evidence, find
from anomaly_mlflow.signals.collect import collect
from anomaly_mlflow.signals.demand import FROM_CLEAN, FROM_FOLDS, FROM_NOISY, FROM_PROBES, needs_of
from anomaly_mlflow.signals.recorded import coverage, evidence_of, within_reach
from anomaly_mlflow.signals.suggestion import suggested_label
from anomaly_mlflow.signals.table import feature_table
from anomaly_mlflow.tracking.registry import model_folder
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.epoch_files import read_recording
from entry_points.fold_files import read_out_of_fold, read_probes, read_second_splits
from entry_points.influence_options import INFLUENCE, influence_settings
from entry_points.recordings import recording_folder
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step

MAKERS = {
    "train_clean": FROM_CLEAN,
    "train_folds": FROM_FOLDS,
    "train_probes": FROM_PROBES,
    "train_noisy": FROM_NOISY,
}
"""Step -> the fields of Evidence that it makes."""


def signal_names(options: dict) -> list[str]:
    """The signals asked for. Raises UnknownName."""
    names = list(SIGNALS) if options["signals"] == "all" else options["signals"].split(",")
    return [find(name).name for name in names]


def steps_for(options: dict) -> set[str]:
    """The steps upstream whose models or recordings the signals asked for read. Raises UnknownName."""
    needs = needs_of(signal_names(options))
    return {"generate_noise", *(name for name, made in MAKERS.items() if needs & made)}


def check_options(options: dict) -> None:
    """Raises UnknownName for a signal or encoder, BadOption and BadData for an encoder's file."""
    signal_names(options)
    if options["geometry_encoder"]:
        frozen_digest(options["geometry_encoder"])


@step(
    "extract_features",
    own=("signals", "passes", "geometry_encoder", *INFLUENCE, "seed"),
    needs=("generate_noise", "train_clean", "train_folds", "train_probes", "train_noisy"),
    run_option="features_run",
    per_seed=True,
    check=check_options,
    instead="recording",
    narrow=steps_for,
)
def extract_features(run: Run, options: dict, upstream: Upstream) -> None:
    """Compute every signal from the two models and the recording; the ledger is not read."""
    names = signal_names(options)
    if upstream:
        evidence = _of_study(options, upstream, names)
    else:
        evidence = evidence_of(read_recording(recording_folder(options["recording"])))
        print(coverage(evidence, names))
        names = within_reach(evidence, names)
    features = feature_table(evidence, names)
    run.log_frame(features, "features.parquet")
    if evidence.recording is not None:
        suggested = suggested_label(evidence.recording)
        suggestions = features[["sample_id"]].assign(given_label=evidence.labels, suggested_label=suggested)
        if evidence.traces is not None:
            suggestions["influence_repair_label"] = evidence.influence.repair_label
        run.log_frame(suggestions, "suggestions.parquet")
    run.log_table(features.drop(columns="sample_id").describe().round(4).reset_index(), "features_summary.json")


def _of_study(options: dict, upstream: Upstream, names: list[str]) -> Evidence:
    samples, test = read_samples(only(upstream, "generate_noise"))
    made = {name: only(upstream, name) for name in upstream}
    clean, folds, probes, noisy = (made.get(f"train_{name}") for name in ("clean", "folds", "probes", "noisy"))
    return collect(
        samples,
        needs_of(names),
        clean=clean and model_folder(clean),
        noisy=noisy and model_folder(noisy),
        snapshots=noisy and noisy.path("snapshots"),
        recording=noisy and read_recording(noisy.path("recording")),
        out_of_fold=folds and read_out_of_fold(folds, samples.sample_id, samples.num_classes),
        second_split=folds and read_second_splits(folds, samples.sample_id),
        probes=probes and read_probes(probes, samples.sample_id),
        reference=test,
        passes=options["passes"],
        seed=options["seed"],
        frozen=options["geometry_encoder"],
        influence=influence_settings(options),
    )

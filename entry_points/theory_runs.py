"""The runs that theory is set beside: recordings of all seeds, and a training at each noise rate."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption
from anomaly_mlflow.signals import Evidence, find
from anomaly_mlflow.signals.evidence import CrossFit
from anomaly_mlflow.studies.theory.bayes_entropy import calibrated
from anomaly_mlflow.studies.theory.rates import RateCell
from anomaly_mlflow.studies.theory.trajectories import Recorded
from anomaly_mlflow.tracking.registry import model_folder
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.epoch_files import read_recording
from anomaly_mlflow.training.folds import fold_folder
from anomaly_mlflow.training.inference import infer
from entry_points.fold_files import number_lists
from entry_points.ledger import read_ledger
from entry_points.noise_checks import check_noise
from entry_points.resolve import resolve_each
from entry_points.sample_files import read_samples
from entry_points.step import STEPS

__all__ = ["baseline_posterior", "check_rates", "clean_logits", "rate_cells", "read_recorded"]


def rates_of(options: dict) -> list[float]:
    """The near-miss shares of `near_miss_rates`, ascending. Raises BadOption for what is no list of shares."""
    text = options["near_miss_rates"]
    try:
        rates = sorted({float(part) for part in text.split(",")})
    except ValueError:
        rates = []
    if len(rates) < 2 or not all(0 < rate < 1 for rate in rates):
        raise BadOption(f"near_miss_rates={text} must name two or more shares between 0 and 1, separated by commas")
    return rates


def check_rates(options: dict) -> None:
    """Raises BadOption for rates that make no sense, alone or beside the shares of the other types."""
    if options["convention"] != "none":
        raise BadOption(
            f"convention={options['convention']} makes no near misses, whose rate theory moves; leave it out"
        )
    if not options["hard_share"]:
        raise BadOption("hard_share=0 leaves no hard images to tell near misses from; raise it")
    for rate in rates_of(options):
        check_noise(options | {"near_miss_share": rate})


def read_recorded(run: Run, options: dict, noisy: list[Run]) -> Recorded:
    """The recordings of all seeds: of the runs upstream, and of as many further training seeds as `seeds` asks for."""
    further = range(options["training_seed"] + 1, options["training_seed"] + 1 + options["seeds"] - len(noisy))
    variants = [options | {"training_seed": seed, "noisy_run": None} for seed in further]
    runs = [*noisy, *(Run(one) for one in resolve_each(STEPS["train_noisy"], variants, run))]
    recordings = [read_recording(one.path("recording")) for one in runs]
    if any(not np.array_equal(one.sample_id, recordings[0].sample_id) for one in recordings):
        raise BadData("the recordings are of different samples; name runs of one generate_noise run")
    if len({one.epochs for one in recordings}) > 1:
        raise BadData("the recordings have different numbers of epochs; name runs of the same options")
    return Recorded(
        np.stack([one.loss for one in recordings]),
        np.stack([one.error_norm**2 for one in recordings]),
        np.stack([one.correct for one in recordings]),
    )


def baseline_posterior(baseline: Run, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated out-of-fold posterior of the true label, float64 (n, C), and the true labels, int64 (n,)."""
    table = "baseline/out_of_fold.parquet"
    frame = baseline.frame(table, {"sample_id": int, "true_label": int, "logits": object})
    logits, true = number_lists(frame["logits"], baseline, table), frame["true_label"].to_numpy()
    if not np.array_equal(frame["sample_id"], samples.sample_id) or logits.shape[1] != samples.num_classes:
        raise BadData(f"run {baseline.id} was made from other samples; run train_baseline again")
    return calibrated(logits, true)[1], true


def clean_logits(folder: Path, folds: list[CrossFit], num_classes: int) -> np.ndarray:
    """Logits of each row by the clean model of its own fold, which never saw it: float32 (n, C)."""
    logits = np.empty((sum(len(fold.rows) for fold in folds), num_classes), np.float32)
    for k, fold in enumerate(folds):
        head = load_model(fold_folder(folder, k)).head
        weight, bias = (value.detach().cpu().numpy() for value in (head.weight, head.bias))
        logits[fold.rows] = fold.embeddings @ weight.T + bias
    return logits


def rate_cells(
    run: Run, options: dict, samples: Samples, posterior: np.ndarray, independent: np.ndarray
) -> Iterator[RateCell]:
    """One cell a rate: its ledger, and the entropy of a model trained at it; runs are found again or made."""
    rates = rates_of(options)
    variants = [options | {"near_miss_share": rate, "noise_run": None, "noisy_run": None} for rate in rates]
    for rate, made in zip(rates, list(resolve_each(STEPS["train_noisy"], variants, run)), strict=True):
        noisy = Run(made)
        noise = Run(noisy.json("upstream.json")["generate_noise"][0])
        given, _ = read_samples(noise)
        if not np.array_equal(given.sample_id, samples.sample_id):
            raise BadData(f"run {noise.id} holds other samples than this study; leave out the option noise_run")
        logits = infer(load_model(model_folder(noisy)), given.images)[1]
        entropy = find("entropy")(Evidence(given.sample_id, given.labels, given.num_classes, logits=logits))
        ledger = read_ledger(noise, given.sample_id)
        yield RateCell(rate, ledger, given.groups, posterior, independent, entropy)

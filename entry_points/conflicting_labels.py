"""Data with conflicting labels -> a training, watched after every epoch: what it generalizes, and what it memorizes."""

from dataclasses import replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.anomalies.glitch_labels import noisy_labels
from anomaly_mlflow.data.listing import list_source
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.data.two_classes import named_pair, only_pair
from anomaly_mlflow.detection.statistics import FEWEST_GROUPS
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.models import Classifier, find
from anomaly_mlflow.studies.memorization_measures import MEASURES, Training, column, measure_training
from anomaly_mlflow.studies.resampled import Resampled
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit
from entry_points.sample_files import DATA
from entry_points.step import Upstream, step
from entry_points.trained import TRAINING, check_pretrained, chosen

EPOCHS = 15
"""Where none is typed: as many as the report's figure over time has, also for tiny images."""

BATCH = 64
"""Where none is typed: of a few thousand images so small batches make the steps that memorizing takes."""

WEIGHT_DECAY = 5e-4
"""The usual one of SGD on CIFAR-10; the small conv net's own, ten times as large, is there against memorization."""


def check_conflicting(options: dict) -> None:
    """Raises what naming two classes raises, and BadOption where `pretrained` is asked of a model without weights."""
    check_pretrained(options)
    if options["two_classes"]:
        named_pair(options["two_classes"], list_source(options["dataset"]).classes)


@step(
    "conflicting_labels",
    own=(*DATA, *TRAINING, "conflict_share", "two_classes", "training_seed", "draws"),
    trains=True,
    check=check_conflicting,
)
def conflicting_labels(run: Run, options: dict, upstream: Upstream) -> None:
    """Train with conflicting labels, and measure after every epoch what is generalized, memorized and told apart."""
    true, test = load_split(options["dataset"], **{name: options[name] for name in DATA if name != "dataset"})
    if options["two_classes"]:
        pair = named_pair(options["two_classes"], true.classes)
        true, test = only_pair(true, pair), only_pair(test, pair)
    given = conflicting(true, options["conflict_share"], options["training_seed"])
    run.log_dataset(true.images, given, true.name, options["dataset"], "training, conflicting labels")
    config = _config(run, true, options)
    training = _train(run, true, given, test, config, options)
    figures = measure_training(training, draws=options["draws"], seed=options["training_seed"])
    _log(run, training, figures, true)
    told = {"rows": len(true), "conflicting": int(training.conflicting.sum()), "test_rows": len(test)}
    run.log_json(told | {"dataset": true.name, "epochs": config.epochs, "classes": list(true.classes)}, "facts.json")


def conflicting(true: Samples, share: float, seed: int) -> np.ndarray:
    """Given labels, int64 (n,). Raises BadOption where too few conflict for any interval."""
    given = noisy_labels(true.labels, true.num_classes, share, seed, "conflicting labels")
    if (given != true.labels).sum() < FEWEST_GROUPS:
        raise BadOption(f"conflict_share={share:g} hits too few of {len(true)} images; {FEWEST_GROUPS} are needed")
    return given


def _config(run: Run, samples: Samples, options: dict) -> TrainConfig:
    settings = chosen(options) | {"schedule": "cosine"}
    if find(options["model"]).settings.get("optimizer", "sgd") == "sgd":
        settings["weight_decay"] = WEIGHT_DECAY
    settings |= {"epochs": options["epochs"] or EPOCHS, "batch_size": options["batch_size"] or min(BATCH, len(samples))}
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **settings)
    if options["learning_rate"] is None:
        config = _with_rate_of_its_batch(config)
    run.log_json(config.to_dict(), "training.json")
    return config


def _with_rate_of_its_batch(config: TrainConfig) -> TrainConfig:
    """SGD's rate in proportion to the batch (Goyal et al. 2017): the recipe's is for the recipe's own batch."""
    own = find(config.model).settings.get("batch_size", TrainConfig.batch_size)
    if config.optimizer != "sgd":
        return config
    return replace(config, learning_rate=config.learning_rate * config.batch_size / own)


def _train(run: Run, true: Samples, given: np.ndarray, test: Samples, config: TrainConfig, options: dict) -> Training:
    """Train on the given labels; every epoch is recorded in an evaluation pass, without augmentation and dropout."""
    test_right = np.empty((config.epochs, len(test)), bool)
    line = {"desc": f"conflicting labels, seed {options['training_seed']}", "position": options.get("bar")}
    with tqdm(total=config.epochs, unit="epoch", disable=None, **line) as bar:

        def on_epoch(epoch: int, model: Classifier, loss: float) -> None:
            test_right[epoch] = infer(model, test.images)[1].argmax(axis=1) == test.labels
            run.log_metrics({"loss": loss}, epoch + 1)
            bar.update()

        how = {"seed": options["training_seed"], "device": options["device"], "record": True, "evaluate": True}
        recording = fit(replace(true, labels=given), config, on_epoch=on_epoch, **how)[1]
    watched = (recording.entropy, recording.loss, recording.predicted)
    return Training(*watched, given, true.labels, true.groups, test_right, test.labels, test.groups)


def _log(run: Run, training: Training, figures: Resampled, true: Samples) -> None:
    """Measures and their draws; scores without the truth, and the truth apart."""
    names = {"entropy": training.entropy, "loss": training.loss}
    scores = {f"{name}.{epoch}": row for name, rows in names.items() for epoch, row in enumerate(rows)}
    run.log_frame(pd.DataFrame({"sample_id": true.sample_id, "given_label": training.given} | scores), "scores.parquet")
    truth = {"sample_id": true.sample_id, "true_label": true.labels, "conflicting": training.conflicting}
    run.log_frame(pd.DataFrame(truth), "truth.parquet")
    run.log_frame(figures.value.rename_axis("figure").rename("value").reset_index(), "measures.parquet")
    run.log_frame(figures.draws.astype(np.float32), "draws.parquet")
    for epoch in range(len(training.entropy)):
        run.log_metrics({name: figures.value[column(epoch, name)] for name in MEASURES}, epoch + 1)

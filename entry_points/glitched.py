"""What a training of the glitch study starts from: data with a known glitch, a reference set, settings."""

from dataclasses import replace

import numpy as np

from anomaly_mlflow.anomalies.glitch_labels import noisy_labels
from anomaly_mlflow.anomalies.glitched import Glitched
from anomaly_mlflow.anomalies.glitches import inject_glitch
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.signals.traces import reference_rows, unseen
from anomaly_mlflow.studies.glitch_grid import Data
from anomaly_mlflow.training.config import TrainConfig, configure
from entry_points.sample_files import DATA
from entry_points.trained import chosen

__all__ = ["GLITCH", "clean_and_test", "injected", "reference_of", "settings_of"]

GLITCH = ("glitch", "glitch_ratio", "reference_noise", "anomalies")
REFERENCES = 1000
EPOCHS = 15
"""Where none is typed; so that tiny images too are judged before their wrong labels are learnt."""


def clean_and_test(options: dict) -> tuple[Samples, Samples]:
    """The training samples with their true labels, and the test samples."""
    return load_split(options["dataset"], **{name: options[name] for name in DATA if name != "dataset"})


def injected(clean: Samples, options: dict) -> Glitched:
    """The samples with the glitch in them. Raises as `inject_glitch` does."""
    how = {"ratio": options["glitch_ratio"], "seed": options["training_seed"]}
    anomalies = Data(options["dataset"], anomalies=options["anomalies"]).foreign
    return inject_glitch(clean, options["glitch"], anomalies=anomalies, **how)


def reference_of(test: Samples, trained: Samples, options: dict) -> tuple[Samples, np.ndarray]:
    """The reference set with as many wrong labels as asked for, and its true labels. Raises Leakage."""
    true = unseen(test.take(reference_rows(test.labels, options["seed"], REFERENCES)), trained)
    share, seed = options["reference_noise"], options["training_seed"]
    return replace(true, labels=noisy_labels(true.labels, true.num_classes, share, seed, "reference set")), true.labels


def settings_of(samples: Samples, options: dict) -> TrainConfig:
    """How the model is trained: at a constant rate, as in the paper."""
    settings = chosen(options) | {"epochs": options["epochs"] or EPOCHS, "schedule": "constant"}
    return configure(options["model"], samples.image_shape, options["device"], len(samples), **settings)

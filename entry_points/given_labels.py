"""Models that have learnt the given labels of other folds: what they say of each row, and how they see it."""

from pathlib import Path

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.probe_calibration import unsmoothed
from anomaly_mlflow.signals.label_evidence import out_of_fold, write_plan
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.folds import assign_folds, fit_folds
from entry_points.trained import chosen

__all__ = ["cross_fit", "fit_every_fold", "given_config", "given_probabilities"]

SMOOTHING = 0.2
"""Share of the labels' weight spread over all classes: it ranks errors better (docs/human-noise.md)."""


def given_config(run: Run, samples: Samples, options: dict) -> TrainConfig:
    """How the models are trained; written down in the run."""
    settings = chosen(options) | {"label_smoothing": SMOOTHING}
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **settings)
    run.log_json(config.to_dict(), "training.json")
    return config


def given_probabilities(logits: np.ndarray) -> np.ndarray:
    """What such logits say, float64 (n, C), without the smoothing."""
    return unsmoothed(softmax(logits.astype(np.float64), axis=1), SMOOTHING)


def cross_fit(
    samples: Samples, config: TrainConfig, folder: Path, options: dict, common: dict
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Fold of each row, out-of-fold logits float32 (n, C), and the embeddings of each fold's own rows.

    common: device, jobs and on_done, as `fit_folds` takes them. A folder that was left behind is taken up.
    """
    fold = assign_folds(samples, options["validation_folds"], options["seed"] + 2000)
    fit_every_fold(samples, fold, config, folder, options["seed"] + 3000, common)
    return fold, *out_of_fold(samples, fold, folder)


def fit_every_fold(
    samples: Samples, fold: np.ndarray, config: TrainConfig, folder: Path, seed: int, common: dict
) -> None:
    """A model for each fold, from the rows of all others, with the plan of the folds beside them."""
    fit_folds(samples, fold, np.ones(len(samples), bool), config, seed=seed, folder=folder, **common)
    write_plan(samples, fold, folder)

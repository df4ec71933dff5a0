"""How encoders see rows that they have not seen in training, and what probes on that reach on the test images."""

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from anomaly_mlflow.cleaning.budget import AccuracyGrid, accuracy_grid, corrected
from anomaly_mlflow.cleaning.budget_plan import rates_to_measure, sizes_to_measure
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.models.frozen import embed_frozen
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.folds import fold_folder
from anomaly_mlflow.training.inference import infer
from entry_points.given_labels import cross_fit, given_config, given_probabilities
from entry_points.jobs import jobs_of
from entry_points.work_folder import work_folder

__all__ = ["View", "measure_probes", "views_of"]

PROBE_SEED = 6000
"""Added to the seed."""

View = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows that an encoder has not seen, int64 (m,), and its embeddings of them and of the test images."""


def views_of(run: Run, samples: Samples, test: Samples, options: dict) -> tuple[np.ndarray, list[View]]:
    """Out-of-fold probabilities, float64 (n, C), and the data as encoders see them that have not seen these rows."""
    folder, config = work_folder(run), given_config(run, samples, options)
    with tqdm(total=options["validation_folds"], desc="given labels", unit="model", disable=None) as bar:
        common = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        fold, logits, embeddings = cross_fit(samples, config, folder, options, common)
    if options["geometry_encoder"]:
        seen = [embed_frozen(options["geometry_encoder"], images) for images in (samples.images, test.images)]
        return given_probabilities(logits), [(np.arange(len(samples)), *seen)]
    tested = [infer(load_model(fold_folder(folder, k)), test.images)[0] for k in range(len(embeddings))]
    rows = [np.flatnonzero(fold == k) for k in range(len(embeddings))]
    return given_probabilities(logits), list(zip(rows, embeddings, tested, strict=True))


def measure_probes(
    samples: Samples, test: Samples, views: list[View], rate: float, right: bool, options: dict
) -> AccuracyGrid:
    """What probes reach on the test images: folds and draws side by side as seeds."""
    sizes = sizes_to_measure(min(len(rows) for rows, _, _ in views), samples.num_classes)
    rates = rates_to_measure(rate, samples.num_classes)
    grids = []
    for k, (rows, own, tested) in enumerate(tqdm(views, desc="probes", unit="fold", disable=None)):
        held = np.arange(len(rows) + len(test)) >= len(rows)
        grids.append(
            accuracy_grid(
                np.concatenate([own, tested]),
                np.concatenate([samples.labels[rows], test.labels]),
                samples.num_classes,
                held.astype(np.int64),
                sizes,
                rates,
                given_rate=rate,
                checked=held,
                seeds=options["probe_seeds"],
                seed=options["seed"] + PROBE_SEED + 1000 * k,
                jobs=jobs_of(options),
            )
        )
    accuracy, against = np.concatenate([grid.accuracy for grid in grids]), "test images whose labels count as right"
    if not right:
        accuracy = corrected(accuracy, rate, samples.num_classes)
        against = f"test images as they are labelled, corrected for {rate:.1%} wrong labels as if these were uniform"
    return replace(grids[0], accuracy=accuracy, against=against)

"""Data source with true labels -> out-of-fold logits and class distances."""

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.anomalies.similarity import class_distance
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.folds import assign_folds, fit_folds, fold_folder
from anomaly_mlflow.training.inference import infer
from entry_points.jobs import jobs_of
from entry_points.sample_files import DATA, load_options
from entry_points.step import Upstream, step
from entry_points.work_folder import work_folder


@step(
    "train_baseline",
    own=(*DATA, "baseline_model", "baseline_epochs", "baseline_folds", "device", "jobs", "backend"),
    run_option="baseline_run",
    trains=True,
)
def train_baseline(run: Run, options: dict, upstream: Upstream) -> None:
    """Train out-of-fold models on true labels: they choose hard images and class tables, and supply no feature."""
    samples = load_options(run, options)
    run.log_dataset(samples.images, samples.labels, samples.name, options["dataset"], "training")
    model, epochs = options["baseline_model"], options["baseline_epochs"]
    config = configure(model, samples.image_shape, options["device"], len(samples), epochs=epochs)
    fold = assign_folds(samples, options["baseline_folds"], options["seed"])
    logits = np.empty((len(samples), samples.num_classes), np.float32)
    folder, distances = work_folder(run), []
    with tqdm(total=fold.max() + 1, desc="baseline", unit="fold", disable=None) as bar:
        everything = np.ones(len(samples), bool)
        common = {"seed": options["seed"] + 1000, "device": options["device"], "jobs": jobs_of(options)}
        fit_folds(samples, fold, everything, config, folder=folder, on_done=bar.update, **common)
        for k in range(fold.max() + 1):
            model, held_out = load_model(fold_folder(folder, k)), fold == k
            embeddings, logits[held_out] = infer(model, samples.images, rows=held_out)
            distances.append(class_distance(embeddings, samples.labels[held_out], samples.num_classes))
    frame = pd.DataFrame({"sample_id": samples.sample_id, "fold": fold, "true_label": samples.labels})
    run.log_frame(frame.assign(logits=list(logits)), "baseline/out_of_fold.parquet")
    distance = pd.DataFrame(np.mean(distances, axis=0), columns=[str(label) for label in range(samples.num_classes)])
    run.log_frame(distance, "baseline/class_distance.parquet")
    run.log_metrics({"out_of_fold_accuracy": float((logits.argmax(1) == samples.labels).mean())})

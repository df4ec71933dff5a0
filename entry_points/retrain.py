"""Labels as given, repaired, true, or fewer of them -> a model, and which test images it gets right."""

import time

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.cleaning.learners import find_learner
from anomaly_mlflow.cleaning.variants import (
    OF_CLEANER,
    after_random_removal,
    certain_labels,
    check_variant,
    of_cleaner,
    with_labels,
    with_true_labels,
)
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.inference import infer
from entry_points.cleaner_files import read_cleaned, read_repairs
from entry_points.ledger import read_ledger
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.trained import TRAINING, check_pretrained, chosen

MAPPED = 2000
"""Training images at most whose embeddings are kept, the same of every variant and seed."""

FIRST_SEED = 7000
"""Added to the seed: no retraining repeats the training that the cleaners looked at."""

REPAIRED = ("cleaned", "certain", "random_removal")
MAKERS = dict.fromkeys(REPAIRED, "repair_labels") | dict.fromkeys(OF_CLEANER, "score_cleaners")
"""Variant, or what it begins with -> the step that says which labels; the others are read from the noise alone."""

TESTED = {"sample_id": int, "group": int, "label": int, "correct": object}


def check_retrain(options: dict) -> None:
    """Raises UnknownName for learner, variant or its cleaner; BadOption as `check_pretrained` does."""
    check_pretrained(options)
    find_learner(options["learner"])
    check_variant(options["variant"])


def steps_for(options: dict) -> set[str]:
    """What cleaners said matters to some variants alone: the others are found again whatever was cleaned, and how."""
    kind = options["variant"].partition(":")[0]
    return {"generate_noise"} | ({MAKERS[kind]} if kind in MAKERS else set())


@step(
    "retrain",
    own=(*TRAINING, "variant", "learner", "retrain_seed"),
    needs=("generate_noise", "repair_labels", "score_cleaners"),
    trains=True,
    check=check_retrain,
    narrow=steps_for,
)
def retrain(run: Run, options: dict, upstream: Upstream) -> None:
    """Train on one variant of the labels; keep which test images are right, and embeddings of training images."""
    samples, test = read_samples(only(upstream, "generate_noise"), as_anybody_sees_them=True)
    trained_on = _variant(samples, options, upstream)
    run.log_dataset(trained_on.images, trained_on.labels, samples.name, options["variant"], "training")
    config = configure(options["model"], samples.image_shape, options["device"], len(trained_on), **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    seed = options["retrain_seed"]
    line = {"desc": f"{options['variant']}, seed {seed}", "position": options.get("bar")}
    with tqdm(total=config.epochs, unit="epoch", disable=None, **line) as bar:

        def on_epoch(epoch: int, model: Classifier, loss: float) -> None:
            run.log_metrics({"loss": loss}, epoch + 1)
            bar.update()

        learner, start = find_learner(options["learner"]), time.process_time()
        model = learner(trained_on, config, seed=FIRST_SEED + seed, device=options["device"], on_epoch=on_epoch)
    seconds = time.process_time() - start
    correct = infer(model, test.images)[1].argmax(axis=1) == test.labels
    told = {"sample_id": test.sample_id, "group": test.groups, "label": test.labels, "correct": correct}
    run.log_frame(pd.DataFrame(told), "correct.parquet")
    rows = np.sort(np.random.default_rng(0).permutation(len(samples))[:MAPPED])
    embeddings = infer(model, samples.images, rows=np.isin(np.arange(len(samples)), rows))[0]
    mapped = pd.DataFrame({"sample_id": samples.sample_id[rows], "embedding": list(embeddings)})
    run.log_frame(mapped, "embeddings.parquet")
    told = {"final_test_accuracy": float(correct.mean()), "rows": len(trained_on), "cpu_seconds": seconds}
    run.log_metrics(told)


def read_correct(made: Run) -> pd.DataFrame:
    """sample_id, group, label and correct (bool) of the test images. Raises BadData where the file is damaged."""
    frame = made.frame("correct.parquet", TESTED)
    if frame["correct"].dtype != bool:
        raise BadData(f"correct.parquet of run {made.id} says of no image whether it is right; run retrain again")
    return frame


def _variant(samples: Samples, options: dict, upstream: Upstream) -> Samples:
    kind, _, cleaner = options["variant"].partition(":")
    if kind == "given":
        return samples
    if kind == "oracle":
        ledger = read_ledger(only(upstream, "generate_noise"), samples.sample_id)
        return with_true_labels(samples, ledger["true_label"].to_numpy())
    if kind in OF_CLEANER:
        return of_cleaner(samples, kind, read_cleaned(only(upstream, "score_cleaners"), cleaner, samples))
    frame = read_repairs(only(upstream, "repair_labels"), samples)
    if kind == "cleaned":
        return with_labels(samples, frame)
    certain = certain_labels(samples, frame)
    if kind == "certain":
        return certain
    return after_random_removal(samples, len(samples) - len(certain), options["retrain_seed"])

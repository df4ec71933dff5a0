"""All samples with their given labels -> what models of other folds say of each, and what is forgotten."""

import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.folds import assign_folds
from anomaly_mlflow.training.second_split import cross_validate
from entry_points.jobs import jobs_of
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.trained import TRAINING, check_pretrained, chosen
from entry_points.work_folder import work_folder


@step(
    "train_folds",
    own=(*TRAINING, "validation_folds", "seed"),
    needs=("generate_noise",),
    run_option="folds_run",
    trains=True,
    check=check_pretrained,
)
def train_folds(run: Run, options: dict, upstream: Upstream) -> None:
    """Train on the given labels fold by fold: out-of-fold logits, second-split forgetting."""
    samples, _ = read_samples(only(upstream, "generate_noise"), as_anybody_sees_them=True)
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "training")
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    seed = options["seed"] + 2000
    fold = assign_folds(samples, options["validation_folds"], seed)
    with tqdm(total=options["validation_folds"], desc="folds", unit="model", disable=None) as bar:
        common = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        logits, splits = cross_validate(samples, fold, config, seed=seed, folder=work_folder(run), **common)
    frame = pd.DataFrame({"sample_id": samples.sample_id, "fold": fold, "given_label": samples.labels})
    run.log_frame(frame.assign(logits=list(logits)), "out_of_fold.parquet")
    for k, split in enumerate(splits):
        learnt = pd.DataFrame({"sample_id": samples.sample_id[split.rows], "correct": list(split.correct.T)})
        run.log_frame(learnt, f"second_split/fold={k}.parquet")
    run.log_metrics({"out_of_fold_agreement": float((logits.argmax(1) == samples.labels).mean())})

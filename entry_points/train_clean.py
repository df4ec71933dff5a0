"""Clean rows -> fold encoders that judge all rows, and one clean model for users."""

import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.folds import CROSS_FIT, assign_folds, fit_folds
from anomaly_mlflow.training.inference import accuracy
from entry_points.jobs import jobs_of
from entry_points.ledger import read_ledger
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.trained import TRAINING, check_pretrained, chosen, publish
from entry_points.work_folder import work_folder


@step(
    "train_clean",
    own=(*TRAINING, "folds", "seed"),
    needs=("generate_noise",),
    run_option="clean_run",
    trains=True,
    check=check_pretrained,
)
def train_clean(run: Run, options: dict, upstream: Upstream) -> None:
    """Train an encoder per fold on the clean rows of the other folds, hard ones left out, and one on all of them."""
    noise = only(upstream, "generate_noise")
    samples, test = read_samples(noise)
    ledger = read_ledger(noise, samples.sample_id)
    reference = (ledger["anomaly_type"] == AnomalyType.CLEAN).to_numpy()
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "training, clean rows")
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    fold = assign_folds(samples, options["folds"], options["seed"])
    folder = work_folder(run) / "model"
    with tqdm(total=options["folds"] + 1, desc="clean side", unit="model", disable=None) as bar:
        fit_folds(
            samples,
            fold,
            reference,
            config,
            seed=options["seed"],
            folder=folder,
            device=options["device"],
            jobs=jobs_of(options),
            whole=True,
            on_done=bar.update,
        )
        plan = pd.DataFrame({"sample_id": samples.sample_id, "fold": fold, "reference": reference})
        plan.to_parquet(folder / CROSS_FIT)
        publish(run, "clean", samples, test, options["model"], folder, accuracy(load_model(folder), test))

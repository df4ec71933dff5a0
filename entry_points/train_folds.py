"""All samples with their given labels -> what models of other folds say, what is forgotten, how known probes behave."""

import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import TrainConfig, configure
from anomaly_mlflow.training.folds import assign_folds
from anomaly_mlflow.training.probes import RUNS, probe_runs
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
    """Train on the given labels fold by fold (out-of-fold logits, second-split forgetting), and twice with probes."""
    samples, _ = read_samples(only(upstream, "generate_noise"), as_anybody_sees_them=True)
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "training")
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    trainings = options["validation_folds"] + RUNS
    with tqdm(total=trainings, desc="folds and probes", unit="model", disable=None) as bar:
        common = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        common["folder"] = work_folder(run)
        _log_folds(run, samples, config, options, common)
        _log_probes(run, samples, config, options, common)


def _log_folds(run: Run, samples: Samples, config: TrainConfig, options: dict, common: dict) -> None:
    seed = options["seed"] + 2000
    fold = assign_folds(samples, options["validation_folds"], seed)
    logits, splits = cross_validate(samples, fold, config, seed=seed, **common)
    frame = pd.DataFrame({"sample_id": samples.sample_id, "fold": fold, "given_label": samples.labels})
    run.log_frame(frame.assign(logits=list(logits)), "out_of_fold.parquet")
    for k, split in enumerate(splits):
        learnt = pd.DataFrame({"sample_id": samples.sample_id[split.rows], "correct": list(split.correct.T)})
        run.log_frame(learnt, f"second_split/fold={k}.parquet")
    run.log_metrics({"out_of_fold_agreement": float((logits.argmax(1) == samples.labels).mean())})


def _log_probes(run: Run, samples: Samples, config: TrainConfig, options: dict, common: dict) -> None:
    for number, found in enumerate(probe_runs(samples, config, seed=options["seed"] + 3000, **common)):
        frame = pd.DataFrame({"sample_id": samples.sample_id, "suite": found.suite, "loss": list(found.loss.T)})
        run.log_frame(frame, f"probes/run={number}.parquet")

"""All samples with their given labels -> areas under the margin beside those of rows that bear a class of their own."""

from tqdm import tqdm

from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.threshold_samples import RUNS, threshold_runs
from entry_points.jobs import jobs_of
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.threshold_files import log_threshold_run
from entry_points.trained import TRAINING, check_pretrained, chosen
from entry_points.work_folder import work_folder


@step(
    "train_thresholds",
    own=(*TRAINING, "seed"),
    needs=("generate_noise",),
    run_option="thresholds_run",
    trains=True,
    check=check_pretrained,
)
def train_thresholds(run: Run, options: dict, upstream: Upstream) -> None:
    """Train twice on the given labels with threshold samples, and keep the area under the margin of every row."""
    samples, _ = read_samples(only(upstream, "generate_noise"))
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "training")
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    with tqdm(total=RUNS, desc="threshold samples", unit="model", disable=None) as bar:
        common = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        runs = threshold_runs(samples, config, seed=options["seed"] + 4000, folder=work_folder(run), **common)
    for number, found in enumerate(runs):
        log_threshold_run(run, number, samples.sample_id, found)

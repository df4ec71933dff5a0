"""All samples with their given labels, some of them spoiled on purpose -> how rows of a known kind behave."""

import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.probes import RUNS, probe_runs
from entry_points.jobs import jobs_of
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.trained import TRAINING, check_pretrained, chosen
from entry_points.work_folder import work_folder


@step(
    "train_probes",
    own=(*TRAINING, "seed"),
    needs=("generate_noise",),
    run_option="probes_run",
    trains=True,
    check=check_pretrained,
)
def train_probes(run: Run, options: dict, upstream: Upstream) -> None:
    """Train twice on the given labels with known probes among the rows, and keep the loss of every row."""
    samples, _ = read_samples(only(upstream, "generate_noise"), as_anybody_sees_them=True)
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "training")
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    with tqdm(total=RUNS, desc="probes", unit="model", disable=None) as bar:
        common = {"device": options["device"], "jobs": jobs_of(options), "on_done": bar.update}
        made = probe_runs(samples, config, seed=options["seed"] + 3000, folder=work_folder(run), **common)
    for number, found in enumerate(made):
        frame = pd.DataFrame({"sample_id": samples.sample_id, "suite": found.suite, "loss": list(found.loss.T)})
        run.log_frame(frame, f"probes/run={number}.parquet")

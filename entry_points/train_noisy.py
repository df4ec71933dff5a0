"""All samples with their given labels -> noisy model and its recording."""

import tempfile
from pathlib import Path

from tqdm import tqdm

from anomaly_mlflow.models import Classifier
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import save_model, snapshot_epochs
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.epoch_files import write_epoch
from anomaly_mlflow.training.inference import accuracy
from anomaly_mlflow.training.ranks import fit_over_ranks
from anomaly_mlflow.training.recording import Recording
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.trained import TRAINING, check_pretrained, chosen, publish


@step(
    "train_noisy",
    own=(*TRAINING, "training_seed"),
    needs=("generate_noise",),
    run_option="noisy_run",
    trains=True,
    check=check_pretrained,
)
def train_noisy(run: Run, options: dict, upstream: Upstream) -> None:
    """Train on everything with the given labels, keep every sample's logits of every epoch, register the model."""
    samples, test = read_samples(only(upstream, "generate_noise"))
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "training")
    config = configure(options["model"], samples.image_shape, options["device"], **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    seed = options["training_seed"]
    with (
        tempfile.TemporaryDirectory() as temporary,
        tqdm(
            total=config.epochs,
            desc=f"noisy model, seed {seed}",
            unit="epoch",
            position=options.get("bar"),
            disable=None,
        ) as bar,
    ):
        folder = Path(temporary)

        def upload(epoch: int, recording: Recording) -> None:
            path = write_epoch(folder / "recording", epoch, recording)
            run.log_file(path, f"recording/{path.parent.name}")

        def on_epoch(epoch: int, model: Classifier, loss: float) -> None:
            run.log_metrics({"loss": loss, "test_accuracy": accuracy(model, test)}, step=epoch)
            if epoch in snapshot_epochs(config.epochs):
                _log_snapshot(run, model, folder / "snapshots" / f"epoch={epoch:04d}")
            bar.update()

        model, _ = fit_over_ranks(
            samples, config, seed=seed, device=options["device"], record=True, sink=upload, on_epoch=on_epoch
        )
        save_model(model, folder / "model")
        publish(run, "noisy", samples, test, options["model"], folder / "model", accuracy(model, test))


def _log_snapshot(run: Run, model: Classifier, folder: Path) -> None:
    save_model(model, folder)
    for file in sorted(folder.iterdir()):
        run.log_file(file, f"snapshots/{folder.name}")

"""All samples with their given labels -> noisy model and its recording."""

from contextlib import closing

from tqdm import tqdm

from anomaly_mlflow.data.split import at_most
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import save_model, snapshot_epochs
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.inference import accuracy
from anomaly_mlflow.training.ranks import fit_over_ranks
from anomaly_mlflow.training.torchrun import number_of_ranks
from entry_points.history import History
from entry_points.sample_files import read_samples
from entry_points.step import Upstream, only, step
from entry_points.trained import TRAINING, check_pretrained, chosen, publish
from entry_points.work_folder import work_folder

WATCHED = 2000
"""Test images that are judged after every epoch: all 10,000 of CIFAR-10 would take long beside the training."""


@step(
    "train_noisy",
    own=(*TRAINING, "record", "training_seed"),
    needs=("generate_noise",),
    run_option="noisy_run",
    trains=True,
    check=check_pretrained,
)
def train_noisy(run: Run, options: dict, upstream: Upstream) -> None:
    """Train on everything with the given labels, keep every sample's logits of every epoch, register the model."""
    samples, test = read_samples(only(upstream, "generate_noise"))
    run.log_dataset(samples.images, samples.labels, samples.name, run.tags["anomaly.dataset"], "training")
    config = configure(options["model"], samples.image_shape, options["device"], len(samples), **chosen(options))
    run.log_json(config.to_dict(), "training.json")
    run.tag("anomaly.ranks", str(number_of_ranks()))
    seed = options["training_seed"]
    watched = test.take(at_most(test.labels, WATCHED, seed=0))
    with (
        closing(History(run, work_folder(run))) as history,
        tqdm(
            total=config.epochs,
            initial=history.epochs_done,
            desc=f"noisy model, seed {seed}",
            unit="epoch",
            position=options.get("bar"),
            disable=None,
        ) as bar,
    ):

        def on_epoch(epoch: int, model: Classifier, loss: float) -> None:
            metrics = {"loss": loss, "test_accuracy": accuracy(model, watched)}
            history.note(epoch, metrics, model if epoch in snapshot_epochs(config.epochs) else None)
            bar.update()

        model, _ = fit_over_ranks(
            samples,
            config,
            seed=seed,
            device=options["device"],
            record=True,
            evaluate=options["record"] == "evaluation",
            sink=history.record,
            on_epoch=on_epoch,
            on_saved=history.send,
            checkpoint=history.checkpoint,
        )
        save_model(model, history.folder / "model")
        history.drain()
        publish(run, "noisy", samples, test, options["model"], history.folder / "model", accuracy(model, test))
        run.remove("checkpoint")  # nothing is left to take up

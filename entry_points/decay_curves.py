"""Test images under every corruption at every severity -> what one model, trained here or registered, says of them."""

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from tqdm import tqdm

from anomaly_mlflow.anomalies.graded_corruptions import Corruption, chosen_corruptions, corrupted
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.studies.decay import output_columns
from anomaly_mlflow.tracking.registry import judged_on, model_folder
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.checkpoints import load_model
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.device import on_gpu
from anomaly_mlflow.training.inference import infer
from anomaly_mlflow.training.loop import fit
from entry_points.named_runs import run_id
from entry_points.sample_files import DATA
from entry_points.step import Upstream, step
from entry_points.trained import TRAINING, check_pretrained, chosen, digest_of
from entry_points.work_folder import work_folder

ONE_MODEL = ("registered", "corruptions")


def check_curves(options: dict) -> None:
    """Raises UnknownName for a corruption, RunNotFound for a registered model, BadOption for odd `pretrained`."""
    chosen_corruptions(options["corruptions"])
    if options["registered"]:
        run_id(options["registered"])
    else:
        check_pretrained(options)


@step("decay_curves", own=(*DATA, *TRAINING, *ONE_MODEL, "training_seed"), trains=True, check=check_curves)
def decay_curves(run: Run, options: dict, upstream: Upstream) -> None:
    """Let one model, trained here or registered, judge the test images under every corruption at every severity."""
    train, test = load_split(options["dataset"], **{name: options[name] for name in DATA if name != "dataset"})
    run.log_dataset(test.images, test.labels, test.name, options["test"] or options["dataset"], "test")
    if options["registered"]:
        model, facts = _registered(options["registered"], test, options["device"])
    else:
        model, facts = _trained(run, train, options)
    clean = _log_probability(model, test.images)
    outputs = _outputs(run, model, test, clean, options)
    run.log_frame(outputs, "outputs.parquet")
    accuracy = float((clean.argmax(axis=1) == test.labels).mean())
    run.log_json(facts | {"dataset": test.name, "test_accuracy": accuracy}, "facts.json")
    run.log_metrics({"test_accuracy": accuracy})


def _trained(run: Run, train: Samples, options: dict) -> tuple[Classifier, dict[str, str]]:
    """The baseline: its model's own recipe, annealed along a cosine. A training that died is taken up."""
    settings = chosen(options) | {"schedule": "cosine"}
    config = configure(options["model"], train.image_shape, options["device"], len(train), **settings)
    run.log_json(config.to_dict(), "training.json")
    line = {"desc": f"baseline, seed {options['training_seed']}", "position": options.get("bar")}
    with tqdm(total=config.epochs, unit="epoch", disable=None, **line) as bar:

        def on_epoch(epoch: int, model: Classifier, loss: float) -> None:
            run.log_metrics({"loss": loss}, epoch)
            bar.update()

        how = {
            "seed": options["training_seed"],
            "device": options["device"],
            "checkpoint": work_folder(run) / "checkpoint",
        }
        model, _ = fit(train, config, on_epoch=on_epoch, **how)
    return model, {"trained on": f"{len(train):,} images of {train.name}, {config.epochs} epochs"}


def _registered(name: str, test: Samples, device: str) -> tuple[Classifier, dict[str, str]]:
    """The model and whether its training can have seen these rows. Raises BadData where the images do not fit it."""
    made = Run(run_id(name))
    model = load_model(model_folder(made)).to("cuda" if on_gpu(device) else "cpu")
    wanted, found = model.architecture.image_shape, test.image_shape
    if tuple(wanted) != tuple(found):
        sizes = " and ".join("x".join(map(str, shape)) for shape in (wanted, found))
        raise BadData(f"{name} and the test images have shapes {sizes}; name its data set, or its image_size")
    if model.architecture.num_classes != test.num_classes:
        classes = model.architecture.num_classes
        raise BadData(f"{name} knows {classes} classes, the test set has {test.num_classes}; name its data set")
    own = judged_on(name) == digest_of(test)
    told = "its own test set" if own else "images that its training may have seen, classes in their order here"
    return model, {"trained on": f"run {made.id}, judged on {told}"}


def _outputs(run: Run, model: Classifier, test: Samples, clean: np.ndarray, options: dict) -> pd.DataFrame:
    """sample_id, label, group and `output_columns` of `corruption.level`; level 0 is the clean pass itself."""
    corruptions = chosen_corruptions(options["corruptions"])
    columns = {"sample_id": test.sample_id, "label": test.labels, "group": test.groups}
    passes = sum(len(one.severities) - 1 for one in corruptions)
    with tqdm(total=passes, desc="corruptions", unit="pass", disable=None, position=options.get("bar")) as bar:
        for corruption in corruptions:
            for level, severity in enumerate(corruption.severities):
                found = clean
                if severity:
                    found = _log_probability(model, corrupted(corruption, test.images, severity, options["seed"]))
                    bar.update()
                own = output_columns(f"{corruption.name}.{level}", found, test.labels)
                _log_point(run, corruption, level, own)
                columns |= own
    return pd.DataFrame(columns)


def _log_point(run: Run, corruption: Corruption, level: int, own: dict[str, np.ndarray]) -> None:
    name = corruption.name
    means = {"accuracy": own[f"{name}.{level}.right"], "entropy": own[f"{name}.{level}.entropy"]}
    point = {f"{kind}.{name}": float(values.mean()) for kind, values in means.items()}
    run.log_metrics(point | {f"severity.{name}": float(corruption.severities[level])}, level)


def _log_probability(model: Classifier, images: np.ndarray) -> np.ndarray:
    """float64 (n, classes). Raises BadData where the model gives no numbers."""
    logits = infer(model, images)[1].astype(np.float64)
    if not np.isfinite(logits).all():
        raise BadData("the model gives no finite numbers for these images; train it again, or name another one")
    return log_softmax(logits, axis=1)

"""Images with metadata -> a fusion network, and which source it follows where they contradict: one training."""

import numpy as np
import pandas as pd
from tqdm import tqdm

from anomaly_mlflow.anomalies.metadata import conflict_pairs, training_codes
from anomaly_mlflow.data.on_disk import read
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.models.fusion import FusionNet, FusionSettings
from anomaly_mlflow.studies.fusion_shares import OUTCOMES, Pairs, outcomes
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.training.config import configure
from anomaly_mlflow.training.fusion_inference import Answers, answers, image_embeddings, metadata_attribution
from anomaly_mlflow.training.fusion_loop import fit_fusion
from entry_points.sample_files import DATA
from entry_points.step import Upstream, step
from entry_points.trained import WITHOUT_MODEL, check_pretrained, chosen

__all__ = ["EPOCHS", "FUSION", "TRAINED", "check_encoder", "fusion"]

EPOCHS = 8
"""Where none is typed, however small the images: most of what is to be seen is settled in the first."""

TRAINED = ("encoder", *WITHOUT_MODEL)
NETWORK = ("modalities", "modality_dropout", "embedding_noise", "metadata_scale")
FUSION = (*NETWORK, "consistent_share", "metadata_noise")


def check_encoder(options: dict) -> None:
    """Raises BadOption where `pretrained` is asked of an encoder without published weights."""
    check_pretrained(options | {"model": options["encoder"]})


@step("fusion", own=(*DATA, *TRAINED, *FUSION, "pairs", "training_seed"), trains=True, check=check_encoder)
def fusion(run: Run, options: dict, upstream: Upstream) -> None:
    """Train on pairs of image and metadata, and count which of the two is followed on contradictory pairs."""
    train, test = load_split(options["dataset"], **{name: options[name] for name in DATA if name != "dataset"})
    run.log_dataset(train.images, train.labels, train.name, options["dataset"], "training")
    rows, codes = conflict_pairs(test.labels, test.num_classes, options["pairs"], options["seed"])
    model, training_accuracy = _trained(run, train, test, rows, codes, options)
    embeddings = image_embeddings(model, test.images)
    consistent, missing = answers(model, embeddings, test.labels), answers(model, embeddings, None)
    run.log_frame(_judged(model, test, rows, codes, consistent), "pairs.parquet")
    accuracies = {
        "consistent_accuracy": float((consistent.predicted == test.labels).mean()),
        "accuracy_without_metadata": float((missing.predicted == test.labels).mean()),
    }
    run.log_metrics(accuracies)
    facts = {"training_accuracy": training_accuracy, **accuracies}
    told = {"dataset": train.name, "images": len(train), "classes": list(train.classes)}
    run.log_json(told | {"facts": facts}, "facts.json")


def _trained(
    run: Run, train: Samples, test: Samples, rows: np.ndarray, codes: np.ndarray, options: dict
) -> tuple[FusionNet, float]:
    """The network, and the share of training pairs that it answered right in its last epoch; curves go to the run."""
    settings = chosen(options) | {"epochs": options["epochs"] or EPOCHS}
    config = configure(options["encoder"], train.image_shape, options["device"], len(train), **settings)
    fused = FusionSettings(**{name: options[name] for name in NETWORK})
    run.log_json(config.to_dict() | fused.to_dict(), "training.json")
    given = training_codes(train.labels, train.num_classes, options["consistent_share"], options["training_seed"])
    shown, place = np.unique(rows, return_inverse=True)
    images, pairs = read(test.images, shown), Pairs(test.labels[rows], codes, test.groups[rows])
    right = []
    line = {"desc": f"fusion, seed {options['training_seed']}", "position": options.get("bar"), "disable": None}
    with tqdm(total=config.epochs, unit="epoch", **line) as bar:

        def on_epoch(epoch: int, model: FusionNet, loss: float, accuracy: float) -> None:
            found = outcomes(answers(model, image_embeddings(model, images)[place], codes).predicted, pairs)
            share = {f"share.{name}": float((found == number).mean()) for number, name in enumerate(OUTCOMES)}
            run.log_metrics({"loss": loss, "training_accuracy": accuracy, **share}, step=epoch)
            right.append(accuracy)
            bar.update()

        how = {"seed": options["training_seed"], "device": options["device"]}
        noise = options["metadata_noise"]
        model = fit_fusion(train, given, config, fused, metadata_noise=noise, on_epoch=on_epoch, **how)
    return model, right[-1]


def _judged(model: FusionNet, test: Samples, rows: np.ndarray, codes: np.ndarray, consistent: Answers) -> pd.DataFrame:
    """A line for each contradictory pair: what is predicted, and the metadata's part in it; and where both agree."""
    conflict = answers(model, consistent.image[rows], codes)
    agree = answers(model, consistent.image[rows], test.labels[rows])
    return pd.DataFrame(
        {
            "sample_id": test.sample_id[rows],
            "group": test.groups[rows],
            "image_class": test.labels[rows],
            "metadata_class": codes,
            "predicted": conflict.predicted,
            "attribution_conflict": metadata_attribution(model, conflict, consistent),
            "attribution_consistent": metadata_attribution(model, agree, consistent),
        }
    )

"""What the two trainings of the study share: their options, and how their models are published."""

import hashlib
from pathlib import Path

import numpy as np

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.models import find
from anomaly_mlflow.tracking.registry import register_model
from anomaly_mlflow.tracking.run import Run

__all__ = ["TRAINING", "WITHOUT_MODEL", "check_pretrained", "chosen", "digest_of", "publish"]

SETTINGS = ("epochs", "batch_size", "learning_rate", "dropout", "augmentation", "precision", "pretrained")
WITHOUT_MODEL = (*SETTINGS, "device", "jobs", "backend")
TRAINING = ("model", *WITHOUT_MODEL)
ROOT = Path(__file__).resolve().parent.parent


def chosen(options: dict) -> dict:
    """The training settings among a step's options."""
    return {name: options[name] for name in SETTINGS} | {"pretrained": options["pretrained"] == "yes"}


def check_pretrained(options: dict) -> None:
    """Raises BadOption where `pretrained` is asked of a model without published weights."""
    if options["pretrained"] == "yes" and find(options["model"]).pretrained is None:
        raise BadOption(f"model '{options['model']}' has no pretrained weights; take timm:NAME or pretrained=no")


def publish(
    run: Run, side: str, samples: Samples, test: Samples, model: str, folder: Path, test_accuracy: float
) -> None:
    """Register a model folder as `<side>-<dataset>-<model>`, `:` in the name of the model as `-`."""
    run.log_metrics({"final_test_accuracy": test_accuracy})
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            run.note_content(file.read_bytes(), f"model/{file.relative_to(folder)}")
    register_model(
        run,
        f"{side}-{samples.name}-{model}".replace(":", "-"),
        folder,
        serving_code=ROOT / "entry_points" / "served_model.py",
        packages=[ROOT / "anomaly_mlflow"],
        image_shape=samples.image_shape,
        num_classes=samples.num_classes,
        test_accuracy=test_accuracy,
        test_set=digest_of(test),
    )


def digest_of(test: Samples) -> str:
    """sha256, hex, of test images and labels: models that were tested on the same set compare."""
    found = hashlib.sha256(np.ascontiguousarray(test.images))
    found.update(np.ascontiguousarray(test.labels))
    return found.hexdigest()

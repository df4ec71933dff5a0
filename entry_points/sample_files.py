"""Samples as artifacts: given labels and replaced images; the rest is read from the source again."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.data.sources import load_split
from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.run import Run

__all__ = ["load_options", "read_samples", "write_samples"]


def load_options(options: dict) -> tuple[Samples, Samples]:
    """Training and test samples with true labels, from the options of a step."""
    names = ("test", "subset", "seed", "corrupt")
    return load_split(options["dataset"], **{name: options[name] for name in names})


def write_samples(run: Run, samples: Samples, replaced: np.ndarray) -> None:
    """Log `samples/labels.parquet` and, for the rows of the mask, `samples/replaced.parquet` (PNG bytes)."""
    labels = {"sample_id": samples.sample_id, "given_label": samples.labels, "group": samples.groups}
    run.log_frame(pd.DataFrame(labels), "samples/labels.parquet")
    images = [_png(image) for image in samples.images[replaced]]
    run.log_frame(pd.DataFrame({"sample_id": samples.sample_id[replaced], "image": images}), "samples/replaced.parquet")


def read_samples(noise: Run) -> tuple[Samples, Samples]:
    """The samples that `generate_noise` made, and the test samples. Raises BadData where the source has changed."""
    train, test = load_options(noise.json("config.json"))
    labels, replaced = noise.frame("samples/labels.parquet"), noise.frame("samples/replaced.parquet")
    if not np.array_equal(labels["sample_id"], train.sample_id):
        raise BadData(f"the data source has changed since run {noise.id}; run generate_noise again")
    images = train.images.copy()
    at = np.searchsorted(train.sample_id, replaced["sample_id"], sorter=np.argsort(train.sample_id))
    for row, image in zip(np.argsort(train.sample_id)[at], replaced["image"], strict=True):
        images[row] = np.asarray(Image.open(io.BytesIO(image))).reshape(train.image_shape)
    given = Samples(
        images,
        labels["given_label"].to_numpy(),
        train.sample_id,
        train.classes,
        train.name,
        labels["group"].to_numpy(),
        train.encoding,
    )
    return given, test


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(file, "PNG")
    return file.getvalue()

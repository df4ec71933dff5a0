"""A set with glitches in it, and its truth: what the glitches of `anomalies.glitches` are made with."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.corruptions import CORRUPTIONS
from anomaly_mlflow.anomalies.foreign_class import foreign_class
from anomaly_mlflow.anomalies.glitch_labels import some_rows
from anomaly_mlflow.data.encoding import re_encode
from anomaly_mlflow.data.groups import fingerprints, join_groups
from anomaly_mlflow.data.on_disk import copied, empty_images
from anomaly_mlflow.data.samples import Samples

__all__ = ["Draw", "Glitched", "appended", "corrupted", "relabelled"]


@dataclass(frozen=True)
class Glitched:
    """A set with glitches in it, and the truth, which no signal sees.

    truth: one row a sample in the order of samples: sample_id, glitch (str, "" where nothing was done), true_label
    (int64, -1 for an image of another set), mislabelled, anomaly (bool), source (str, set and class of an image of
    another set, else ""). contamination: the share that a detector which knows it is told: the ratio as the paper
    counts it, before anomalies are appended.
    """

    samples: Samples
    truth: pd.DataFrame
    contamination: float


@dataclass(frozen=True)
class Draw:
    """What a glitch is made from; anomalies: spec of the set whose images are appended."""

    samples: Samples
    ratio: float
    seed: int
    anomalies: str


def corrupted(draw: Draw, name: str) -> Glitched:
    """The ratio of the images with this one of `CORRUPTIONS`."""
    rows = some_rows(np.arange(len(draw.samples)), draw.ratio, draw.seed, name)
    images = copied(draw.samples.images)
    images[rows] = re_encode(CORRUPTIONS[name](images[rows]), draw.samples.encoding)
    hit = np.isin(np.arange(len(draw.samples)), rows)
    return Glitched(replace(draw.samples, images=images), _truth(draw.samples, name, anomaly=hit), draw.ratio)


def relabelled(draw: Draw, name: str, labels: np.ndarray, contamination: float) -> Glitched:
    """The samples with these labels, int64 (n,), which are wrong where they differ."""
    truth = _truth(draw.samples, name, mislabelled=labels != draw.samples.labels)
    return Glitched(replace(draw.samples, labels=labels), truth, contamination)


def appended(draw: Draw, name: str, labels_of: Callable[[int], np.ndarray]) -> Glitched:
    """The samples, and after them the ratio of images of one class of another set, with so many labels."""
    samples, number = draw.samples, max(1, round(draw.ratio * len(draw.samples)))
    images, origin = foreign_class(draw.anomalies, number, samples, draw.seed)
    whole = empty_images(len(samples) + number, samples.image_shape)
    whole[: len(samples)], whole[len(samples) :] = samples.images, images
    ids = max(samples.sample_id.max(), samples.groups.max()) + 1 + np.arange(number)
    # Images of one class, each drawn by itself: given the class, only equal images are one witness.
    arrays = {"sample_id": (samples.sample_id, ids), "groups": (samples.groups, join_groups(ids, fingerprints(images)))}
    arrays["labels"] = (samples.labels, labels_of(number).astype(np.int64))
    made = replace(samples, images=whole, **{key: np.concatenate(parts) for key, parts in arrays.items()})
    truth = _truth(made, name, anomaly=np.arange(len(made)) >= len(samples))
    true_label, source = truth["true_label"].mask(truth["anomaly"], -1), truth["source"].mask(truth["anomaly"], origin)
    return Glitched(made, truth.assign(true_label=true_label, source=source), draw.ratio)


def _truth(true: Samples, name: str, **hit: np.ndarray) -> pd.DataFrame:
    marks = {kind: hit.get(kind, np.zeros(len(true), bool)) for kind in ("mislabelled", "anomaly")}
    glitch = np.where(marks["mislabelled"] | marks["anomaly"], name, "")
    told = {"sample_id": true.sample_id, "glitch": glitch, "true_label": true.labels, **marks, "source": ""}
    return pd.DataFrame(told).astype({"glitch": "str", "source": "str"})

"""The data glitches of the influence study: each takes a clean set and gives one with known errors in it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.corruptions import CORRUPTIONS
from anomaly_mlflow.anomalies.foreign_class import foreign_class
from anomaly_mlflow.anomalies.glitch_labels import noisy_labels, some_rows, to_partner
from anomaly_mlflow.anomalies.injector import generator
from anomaly_mlflow.data.encoding import re_encode
from anomaly_mlflow.data.groups import fingerprints, join_groups
from anomaly_mlflow.data.on_disk import copied, empty_images
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

__all__ = ["GLITCHES", "LARGEST_RATIO", "Draw", "Glitched", "inject_glitch"]

LARGEST_RATIO = 0.4


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


def inject_glitch(samples: Samples, name: str, *, ratio: float, seed: int, anomalies: str = "photographs") -> Glitched:
    """The samples with one of `GLITCHES` in them; samples.labels count as true.

    ratio: share of the images that are hit or, for anomalies, appended (0 to 0.4). Rows, labels and the foreign class
    all follow the seed. Raises UnknownName, BadOption where the ratio hits no row or is out of range, BadData where
    there is one class only.
    """
    if name not in GLITCHES:
        raise UnknownName("glitch", name, GLITCHES)
    if not 0 < ratio <= LARGEST_RATIO:
        raise BadOption(f"a glitch ratio of {ratio:g} cannot be used; choose one above 0, and at most {LARGEST_RATIO}")
    if samples.num_classes < 2:
        raise BadData(f"'{samples.name}' has a single class; a wrong label needs two")
    made = GLITCHES[name](Draw(samples, ratio, seed, anomalies))
    if not made.truth[["mislabelled", "anomaly"]].any(axis=None):
        raise BadOption(f"a glitch ratio of {ratio:g} hits none of {len(samples)} images; raise it, or take more")
    return made


def uniform(draw: Draw) -> Glitched:
    """The ratio of all labels is another class each, uniformly drawn."""
    labels = noisy_labels(draw.samples.labels, draw.samples.num_classes, draw.ratio, draw.seed, "uniform")
    return _relabelled(draw, "uniform", labels, draw.ratio)


def one_class(draw: Draw) -> Glitched:
    """One class, drawn, loses the ratio of its labels to one other class."""
    counts = np.bincount(draw.samples.labels, minlength=draw.samples.num_classes)
    label = generator(draw.seed, "one_class", "class").choice(np.flatnonzero(counts))
    labels = to_partner(draw.samples.labels, len(counts), [label], draw.ratio, draw.seed, "one_class")
    return _relabelled(draw, "one_class", labels, float((labels != draw.samples.labels).mean()))


def each_class(draw: Draw) -> Glitched:
    """Every class loses the ratio of its labels to one other class of its own."""
    classes = draw.samples.num_classes
    labels = to_partner(draw.samples.labels, classes, range(classes), draw.ratio, draw.seed, "each_class")
    return _relabelled(draw, "each_class", labels, draw.ratio)


def anomalies_one_label(draw: Draw) -> Glitched:
    """Images of one class of another set are appended, all with one label, drawn."""
    label = generator(draw.seed, "anomalies", "label").integers(draw.samples.num_classes)
    return _appended(draw, "anomalies_one_label", lambda number: np.full(number, label))


def anomalies_random_labels(draw: Draw) -> Glitched:
    """Images of one class of another set are appended, each with a label of its own, uniformly drawn."""
    labels, classes = generator(draw.seed, "anomalies", "labels"), draw.samples.num_classes
    return _appended(draw, "anomalies_random_labels", lambda number: labels.integers(classes, size=number))


def mixed(draw: Draw) -> Glitched:
    """`uniform`, and `anomalies_one_label` appended to it, the ratio of each."""
    labels, images = uniform(draw), anomalies_one_label(draw)
    n = len(draw.samples)
    given = np.concatenate([labels.samples.labels, images.samples.labels[n:]])
    truth = pd.concat([labels.truth, images.truth[n:]], ignore_index=True)
    return Glitched(replace(images.samples, labels=given), truth, 2 * draw.ratio)


def _corrupted(draw: Draw, name: str) -> Glitched:
    rows = some_rows(np.arange(len(draw.samples)), draw.ratio, draw.seed, name)
    images = copied(draw.samples.images)
    images[rows] = re_encode(CORRUPTIONS[name](images[rows]), draw.samples.encoding)
    hit = np.isin(np.arange(len(draw.samples)), rows)
    return Glitched(replace(draw.samples, images=images), _truth(draw.samples, name, anomaly=hit), draw.ratio)


def _relabelled(draw: Draw, name: str, labels: np.ndarray, contamination: float) -> Glitched:
    truth = _truth(draw.samples, name, mislabelled=labels != draw.samples.labels)
    return Glitched(replace(draw.samples, labels=labels), truth, contamination)


def _appended(draw: Draw, name: str, labels_of: Callable[[int], np.ndarray]) -> Glitched:
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


GLITCHES: dict[str, Callable[[Draw], Glitched]] = {
    "uniform": uniform,
    "one_class": one_class,
    "each_class": each_class,
    "anomalies_one_label": anomalies_one_label,
    "anomalies_random_labels": anomalies_random_labels,
    "brightness": lambda draw: _corrupted(draw, "brightness"),
    "stripes": lambda draw: _corrupted(draw, "stripes"),
    "mixed": mixed,
}

"""The data glitches of the influence study: each takes a clean set and gives one with known errors in it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.glitch_labels import noisy_labels, to_partner
from anomaly_mlflow.anomalies.glitched import Draw, Glitched, appended, corrupted, relabelled
from anomaly_mlflow.anomalies.injector import generator
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

__all__ = ["GLITCHES", "LARGEST_RATIO", "inject_glitch"]

LARGEST_RATIO = 0.4


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
    return relabelled(draw, "uniform", labels, draw.ratio)


def one_class(draw: Draw) -> Glitched:
    """One class, drawn, loses the ratio of its labels to one other class."""
    counts = np.bincount(draw.samples.labels, minlength=draw.samples.num_classes)
    label = generator(draw.seed, "one_class", "class").choice(np.flatnonzero(counts))
    labels = to_partner(draw.samples.labels, len(counts), [label], draw.ratio, draw.seed, "one_class")
    return relabelled(draw, "one_class", labels, float((labels != draw.samples.labels).mean()))


def each_class(draw: Draw) -> Glitched:
    """Every class loses the ratio of its labels to one other class of its own."""
    classes = draw.samples.num_classes
    labels = to_partner(draw.samples.labels, classes, range(classes), draw.ratio, draw.seed, "each_class")
    return relabelled(draw, "each_class", labels, draw.ratio)


def anomalies_one_label(draw: Draw) -> Glitched:
    """Images of one class of another set are appended, all with one label, drawn."""
    label = generator(draw.seed, "anomalies", "label").integers(draw.samples.num_classes)
    return appended(draw, "anomalies_one_label", lambda number: np.full(number, label))


def anomalies_random_labels(draw: Draw) -> Glitched:
    """Images of one class of another set are appended, each with a label of its own, uniformly drawn."""
    labels, classes = generator(draw.seed, "anomalies", "labels"), draw.samples.num_classes
    return appended(draw, "anomalies_random_labels", lambda number: labels.integers(classes, size=number))


def mixed(draw: Draw) -> Glitched:
    """`uniform`, and `anomalies_one_label` appended to it, the ratio of each."""
    labels, images = uniform(draw), anomalies_one_label(draw)
    n = len(draw.samples)
    given = np.concatenate([labels.samples.labels, images.samples.labels[n:]])
    truth = pd.concat([labels.truth, images.truth[n:]], ignore_index=True)
    return Glitched(replace(images.samples, labels=given), truth, 2 * draw.ratio)


GLITCHES: dict[str, Callable[[Draw], Glitched]] = {
    "uniform": uniform,
    "one_class": one_class,
    "each_class": each_class,
    "anomalies_one_label": anomalies_one_label,
    "anomalies_random_labels": anomalies_random_labels,
    "brightness": lambda draw: corrupted(draw, "brightness"),
    "stripes": lambda draw: corrupted(draw, "stripes"),
    "mixed": mixed,
}

"""A part of a data set that has two of its classes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption, UnknownName

__all__ = ["default_pair", "named_pair", "only_pair"]

USUAL = (("cat", "dog"), ("3", "5"))
"""Pairs that are often taken for each other, the first that a data set has."""


def default_pair(classes: Sequence[str]) -> tuple[str, str]:
    """cat and dog, or 3 and 5, or the first two of the classes."""
    known = [pair for pair in USUAL if set(pair) <= set(classes)]
    return known[0] if known else (classes[0], classes[1])


def named_pair(text: str, classes: Sequence[str]) -> tuple[str, str]:
    """The two classes of `NAME,NAME`. Raises BadOption where it names not two, UnknownName for a class."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in classes:
            raise UnknownName("class", name, classes)
    if len(set(names)) != 2 or len(names) != 2:
        raise BadOption(f"'{text}' does not name two classes; write two names with a comma between them")
    return names


def only_pair(samples: Samples, pair: tuple[str, str]) -> Samples:
    """The samples of these two classes, labelled 0 and 1."""
    wanted = [samples.classes.index(name) for name in pair]
    part = samples.take(np.isin(samples.labels, wanted))
    return replace(part, labels=(part.labels == wanted[1]).astype(np.int64), classes=tuple(pair))

"""Label noise as other papers make it, by name: what a rate means differs from one to the next."""

import numpy as np

import anomaly_mlflow.anomalies.instance_dependent
import anomaly_mlflow.anomalies.polynomial_margin  # noqa: F401  (both register conventions)
from anomaly_mlflow.anomalies.convention import CONVENTIONS, Convention, Draw, convention, find_convention
from anomaly_mlflow.anomalies.draws import partner_of_each_class, rows_of_all, rows_of_classes
from anomaly_mlflow.anomalies.injector import Host, generator, row_uniform
from anomaly_mlflow.anomalies.labels import from_table
from anomaly_mlflow.anomalies.superclasses import SUPERCLASSES
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.names import CIFAR100
from anomaly_mlflow.errors import BadOption

__all__ = ["CONVENTIONS", "Convention", "find_convention"]


@convention(AnomalyType.RANDOM_FLIP, "Pleiss et al. (2020), NeurIPS (AUM); Zhang et al. (2021), ICLR (PLC)")
def symmetric(host: Host, rate: float, free: np.ndarray) -> Draw:
    """A share of all rows gets another label, uniform over C - 1: the real rate is the rate."""
    rows, others = rows_of_all(host, "symmetric", rate, free), host.samples.num_classes - 1
    step = 1 + (row_uniform(host, "symmetric")[rows] * others).astype(np.int64)
    return rows, (host.samples.labels[rows] + step) % host.samples.num_classes


@convention(AnomalyType.RANDOM_FLIP, "Li et al. (2020), ICLR (DivideMix)")
def dividemix_symmetric(host: Host, rate: float, free: np.ndarray) -> Draw:
    """A share of all rows gets a label uniform over all C, the true one too: the real rate is rate * (C - 1) / C."""
    rows = rows_of_all(host, "dividemix_symmetric", rate, free)
    uniform = row_uniform(host, "dividemix_symmetric")[rows]
    return rows, (uniform * host.samples.num_classes).astype(np.int64)


@convention(AnomalyType.NEAR_MISS, "Li et al. (2020), ICLR (DivideMix); pairs of the near table")
def dividemix_asymmetric(host: Host, rate: float, free: np.ndarray) -> Draw:
    """A share of all rows is drawn, those of a class with a near partner get its label, the others keep theirs.

    The real rate is the rate times the share of rows in such classes: half of it at 5 of 10 classes (CIFAR-10).
    """
    rows = rows_of_all(host, "dividemix_asymmetric", rate, free)
    rows = rows[np.isin(host.samples.labels[rows], list(host.tables.near))]
    return rows, from_table(host, rows, "dividemix_asymmetric", host.tables.near)


@convention(AnomalyType.NEAR_MISS, "Patrini et al. (2017), CVPR, and Zhang et al. (2021), ICLR (PLC); the near table")
def asymmetric(host: Host, rate: float, free: np.ndarray) -> Draw:
    """Each class with a near partner loses a share of its own rows to it, the others keep theirs.

    The real rate is the rate times the share of rows in such classes, as in DivideMix's: here every class has its exact
    share, there a draw from all rows decides how many fall into each.
    """
    source = np.isin(np.arange(host.samples.num_classes), list(host.tables.near))
    rows = rows_of_classes(host, "asymmetric", rate * source, free)
    return rows, from_table(host, rows, "asymmetric", host.tables.near)


@convention(AnomalyType.NEAR_MISS, "Patrini et al. (2017), CVPR (CIFAR-100)")
def superclass_circular(host: Host, rate: float, free: np.ndarray) -> Draw:
    """A share of all rows gets the label of the next class of its CIFAR-100 superclass, the last that of the first."""
    if host.samples.classes != CIFAR100:
        raise BadOption("convention superclass_circular needs the 100 classes of CIFAR-100; choose another convention")
    following = {
        name: members[(place + 1) % len(members)]
        for members in SUPERCLASSES.values()
        for place, name in enumerate(members)
    }
    target = np.array([CIFAR100.index(following[name]) for name in CIFAR100])
    rows = rows_of_all(host, "superclass_circular", rate, free)
    return rows, target[host.samples.labels[rows]]


@convention(AnomalyType.RANDOM_FLIP, "Reference code of Data Glitches Discovery (2025), KDD (class-based noise)")
def glitch_one_class(host: Host, rate: float, free: np.ndarray) -> Draw:
    """One class, drawn by the seed, loses a share of its own rows to one other class."""
    target = partner_of_each_class(host, "glitch_one_class")
    label = int(generator(host.seed, "glitch_one_class", "class").integers(host.samples.num_classes))
    share = np.zeros(host.samples.num_classes)
    share[label] = rate
    rows = rows_of_classes(host, "glitch_one_class", share, free)
    return rows, target[host.samples.labels[rows]]


@convention(AnomalyType.RANDOM_FLIP, "README of the reference code of Data Glitches Discovery (2025), KDD")
def glitch_each_class(host: Host, rate: float, free: np.ndarray) -> Draw:
    """Each class loses a share of its own rows to one other class, drawn by the seed."""
    target = partner_of_each_class(host, "glitch_each_class")
    rows = rows_of_classes(host, "glitch_each_class", np.full(host.samples.num_classes, rate), free)
    return rows, target[host.samples.labels[rows]]


@convention(AnomalyType.NEAR_MISS, "Wei et al. (2022), ICLR (CIFAR-N: its class-dependent part)")
def human_confusion(host: Host, rate: float, free: np.ndarray) -> Draw:
    """Classes err and choose their wrong label in people's proportions, scaled so that the real rate is the rate.

    All of it counts as near miss, for most of it is; people's rare confusions are among it.
    """
    rates = host.tables.confusion
    if rates is None:
        raise BadOption("convention human_confusion needs confusion=parquet:PATH#TRUE,GIVEN; name the two columns")
    wrong = rates * (1 - np.eye(len(rates)))
    counts = np.bincount(host.samples.labels, minlength=len(rates))
    largest = (wrong.sum(axis=1) @ counts) / len(host.samples) / wrong.sum(axis=1).max()
    if rate > largest:
        works = np.floor(largest * 1000) / 1000
        raise BadOption(f"convention_rate={rate} is above what these confusions allow; lower it to {works}")
    rows = rows_of_classes(host, "human_confusion", wrong.sum(axis=1) / wrong.sum(axis=1).max() * rate / largest, free)
    ladder = np.cumsum(wrong, axis=1)[host.samples.labels[rows]]
    drawn = row_uniform(host, "human_confusion")[rows] * ladder[:, -1]
    return rows, (drawn[:, None] >= ladder).sum(axis=1)

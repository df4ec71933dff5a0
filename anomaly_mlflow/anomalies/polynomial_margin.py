"""PMD, polynomial margin diminishing label noise (Zhang et al. 2021): the narrower a clean model's margin, the more.

eta are the model's class probabilities, u and s its first and second class, d = eta_u - eta_s. A row keeps u with
probability min(1, (1 - tau(d)) / factor), otherwise it gets s. The paper's factors on CIFAR-10 (types I to III: 1.43,
1.32, 1.35 for 35 %; 3.40, 3.10, 3.20 for 70 %) are those that led to the rate with their own eta; here the factor is
solved for, so that the labels that differ from the true ones are the share asked for. A weak model's own mistakes are
many of these. Models of the same kind will make them again, so that cleaners that ask other folds look worse than they
are; the variations `_true` start from the true label.
"""

import numpy as np

from anomaly_mlflow.anomalies.convention import Draw, convention
from anomaly_mlflow.anomalies.injector import Host, row_uniform
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadOption

__all__ = ["TAU", "pmd_1", "pmd_1_true", "pmd_2", "pmd_2_true", "pmd_3", "pmd_3_true"]

PAPER = "Zhang et al. (2021), ICLR (PLC), PMD type"
OURS = "this project's variation, the true label in place of the clean model's first class, of " + PAPER
TAU = {
    1: lambda d: 1 / 2 - d**2 / 2,
    2: lambda d: 1 - d**3,
    3: lambda d: 1 - (d**3 + d**2 + d) / 3,
}
"""Type -> tau(d), d in 0..1."""


@convention(AnomalyType.NEAR_MISS, f"{PAPER} I")
def pmd_1(host: Host, rate: float, free: np.ndarray) -> Draw:
    """tau = 1/2 - d^2 / 2; rows start from u, so that the model's own mistakes are among the errors."""
    return _from_model(host, "pmd_1", rate, free, 1)


@convention(AnomalyType.NEAR_MISS, f"{PAPER} II")
def pmd_2(host: Host, rate: float, free: np.ndarray) -> Draw:
    """tau = 1 - d^3; rows start from u, so that the model's own mistakes are among the errors."""
    return _from_model(host, "pmd_2", rate, free, 2)


@convention(AnomalyType.NEAR_MISS, f"{PAPER} III")
def pmd_3(host: Host, rate: float, free: np.ndarray) -> Draw:
    """tau = 1 - (d^3 + d^2 + d) / 3; rows start from u, so that the model's own mistakes are among the errors."""
    return _from_model(host, "pmd_3", rate, free, 3)


@convention(AnomalyType.NEAR_MISS, f"{OURS} I")
def pmd_1_true(host: Host, rate: float, free: np.ndarray) -> Draw:
    """As pmd_1 where the model is right; elsewhere d = 0 and the true label may become the model's first class."""
    return _from_truth(host, "pmd_1_true", rate, free, 1)


@convention(AnomalyType.NEAR_MISS, f"{OURS} II")
def pmd_2_true(host: Host, rate: float, free: np.ndarray) -> Draw:
    """As pmd_2 where the model is right; elsewhere d = 0 and the true label becomes the model's first class."""
    return _from_truth(host, "pmd_2_true", rate, free, 2)


@convention(AnomalyType.NEAR_MISS, f"{OURS} III")
def pmd_3_true(host: Host, rate: float, free: np.ndarray) -> Draw:
    """As pmd_3 where the model is right; elsewhere d = 0 and the true label becomes the model's first class."""
    return _from_truth(host, "pmd_3_true", rate, free, 3)


def _from_model(host: Host, name: str, rate: float, free: np.ndarray, kind: int) -> Draw:
    rows = np.flatnonzero(free)
    eta = _eta(host, name)[rows]
    first, second = np.argsort(-eta, axis=1, kind="stable")[:, :2].T
    return _switched(host, name, rate, rows, (first, second), _margin(eta, first, second), kind)


def _from_truth(host: Host, name: str, rate: float, free: np.ndarray, kind: int) -> Draw:
    rows = np.flatnonzero(free)
    eta, true = _eta(host, name)[rows], host.samples.labels[rows]
    others = eta.copy()
    np.put_along_axis(others, true[:, None], -np.inf, axis=1)
    second = others.argmax(axis=1)
    return _switched(host, name, rate, rows, (true, second), np.maximum(_margin(eta, true, second), 0), kind)


def _switched(
    host: Host, name: str, rate: float, rows: np.ndarray, pair: tuple[np.ndarray, np.ndarray], d: np.ndarray, kind: int
) -> Draw:
    """The rows with the labels of `pair[0]`, those of `pair[1]` from the first row on that brings the rate.

    A row whose uniform number is U leaves its first label at the factor (1 - tau) / U: the rows in that order are those
    that a growing factor takes. Where the first labels are wrong a switch may mend one, so the rate need not grow with
    every row; the least factor that reaches the rate counts.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (1 - TAU[kind](d)) / row_uniform(host, name)[rows]
    order = np.argsort(factor, kind="stable")
    wrong = [label != host.samples.labels[rows] for label in pair]
    errors = wrong[0].sum() + np.append(0, np.cumsum((wrong[1].astype(int) - wrong[0])[order]))
    wanted = round(rate * len(host.samples))
    _check_reach(name, rate, int(wanted), errors, len(host.samples))
    labels, switched = pair[0].copy(), order[: np.argmax(errors >= wanted)]
    labels[switched] = pair[1][switched]
    return rows, labels


def _check_reach(name: str, rate: float, wanted: int, errors: np.ndarray, n: int) -> None:
    if wanted < errors[0]:
        least = np.ceil(1000 * errors[0] / n) / 1000
        raise BadOption(
            f"convention {name} starts from the baseline's own answers, {errors[0] / n:.1%} of which are wrong: "
            f"convention_rate={rate} is below; raise it to {least}, train the baseline longer or take {name}_true"
        )
    if wanted > errors.max():
        most = np.floor(1000 * errors.max() / n) / 1000
        raise BadOption(f"convention {name} reaches {most:.1%} at most here; lower convention_rate to {most}")


def _margin(eta: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    rows = np.arange(len(eta))
    return eta[rows, first].astype(np.float64) - eta[rows, second]


def _eta(host: Host, name: str) -> np.ndarray:
    if host.eta is None:
        raise BadOption(f"convention {name} needs the baseline's out-of-fold probabilities, and there are none")
    return host.eta

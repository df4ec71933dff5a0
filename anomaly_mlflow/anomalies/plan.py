"""What is to be injected, and the checks that it fits the samples."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anomaly_mlflow.anomalies.similarity import Tables
from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

__all__ = ["LABEL_TYPES", "Plan", "check_plan", "check_shares"]

Shares = Mapping[AnomalyType, float]

# Types that a convention of another paper stands in for.
LABEL_TYPES = (AnomalyType.NEAR_MISS, AnomalyType.GROSS, AnomalyType.RANDOM_FLIP)
NO_SHARE = {
    AnomalyType.CLEAN: "it is what the other types leave",
    AnomalyType.HUMAN_ERROR: "it is what people labelled wrongly",
}


@dataclass(frozen=True)
class Plan:
    """What becomes of the samples.

    hard: bool (n,), rows left as they are and listed as hard, selected by the rule `hard_by`.
    near_miss_among: bool (n,), the only rows that near misses are drawn from; None: every row with a near partner.
    strangers_spec, ood_label: where out-of-distribution images come from and which label they get.
    convention, convention_rate: how another paper makes label errors, in place of the shares of LABEL_TYPES.
    eta: float (n, C), out-of-fold probabilities of a model of the true labels; some conventions need it.
    given, given_source: int64 (n,), labels that people gave, and the column they are from; None: the true labels.
    """

    shares: Shares
    tables: Tables
    hard: np.ndarray
    hard_by: str = "margin"
    near_miss_among: np.ndarray | None = None
    strangers_spec: str = "photographs"
    ood_label: str = "random"
    convention: str | None = None
    convention_rate: float = 0.0
    eta: np.ndarray | None = None
    given: np.ndarray | None = None
    given_source: str = ""
    seed: int = 0


def check_shares(shares: Shares) -> None:
    """Raises BadOption for a share outside [0, 1], for a type that takes none or a sum above 1; UnknownName."""
    for kind, share in shares.items():
        if kind not in set(AnomalyType):
            raise UnknownName("anomaly type", kind, AnomalyType)
        if kind in NO_SHARE:
            raise BadOption(f"{kind} takes no share: {NO_SHARE[kind]}")
        if not 0 <= share <= 1:
            raise BadOption(f"the share of {kind} is {share}; choose one in 0 to 1")
    if sum(shares.values()) > 1 + 1e-9:
        raise BadOption(f"the shares of all types sum to {sum(shares.values()):.4g}; lower them to 1 at most")


def check_plan(plan: Plan, labels: np.ndarray, num_classes: int) -> None:
    """Raises BadOption where shares or rates make no sense together, BadData where arrays do not fit the samples.

    labels: int64 (n,), true.
    """
    check_shares(plan.shares)
    _check_mask("hard", plan.hard, len(labels))
    if plan.near_miss_among is not None:
        _check_mask("near_miss_among", plan.near_miss_among, len(labels))
    hard = max(float(plan.hard.mean()), plan.shares.get(AnomalyType.HARD, 0.0))
    check_shares({**plan.shares, AnomalyType.HARD: hard})
    if plan.convention and any(plan.shares.get(kind) for kind in LABEL_TYPES):
        raise BadOption(f"convention {plan.convention} replaces the shares of {', '.join(LABEL_TYPES)}; set them to 0")
    if not 0 <= plan.convention_rate <= 1:
        raise BadOption(f"convention_rate={plan.convention_rate} makes no sense; choose one in 0 to 1")
    if plan.eta is not None and plan.eta.shape != (len(labels), num_classes):
        raise BadData(
            f"eta must be probabilities of {len(labels)} rows and {num_classes} classes, not {plan.eta.shape}"
        )
    if plan.given is None:
        return
    if plan.given.shape != labels.shape or plan.given.min() < 0 or plan.given.max() >= num_classes:
        raise BadData(f"human labels must be {len(labels)} numbers in 0 to {num_classes - 1}; check the option labels")
    if (plan.hard & (plan.given != labels)).any():
        raise BadData("rows whose human label is wrong are marked hard; hard rows carry their true label")


def _check_mask(name: str, mask: np.ndarray, n: int) -> None:
    if mask.shape != (n,) or mask.dtype != bool:
        raise BadData(f"{name} must be a mask of {n} rows, not {mask.dtype} {mask.shape}")

"""H1, H2 and H3, fixed before any data is seen.

The arms are lists of signals, not families: signals that came later, when results were known, are in none of them.
"""

from collections.abc import Iterable

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.studies.base import Arm, Claim, Part, Rule

__all__ = ["CLAIMS", "CONTROL", "DYNAMICS", "GEOMETRY", "UNCERTAINTY", "find_claims", "find_part", "signals_of"]


def _arm(name: str, signals: str, *beside: str) -> Arm:
    return Arm(name, (*(f"{name}.{signal}" for signal in signals.split()), *beside))


GEOMETRY = _arm("geometry", "prototype_distance prototype_ratio knn_distance knn_disagreement")
UNCERTAINTY = _arm(
    "uncertainty", "entropy confidence top2_margin stochastic_variance mutual_information expected_entropy"
)
DYNAMICS = _arm(
    "dynamics",
    "area_under_margin late_log_odds forgetting never_learnt wrong_events first_learnt mid_entropy"
    " confidence_variability mean_loss loss_std final_loss min_loss loss_slope late_loss_slope loss_rebound"
    " loss_sign_changes",
)
# Most of what dynamics add over uncertainty is seeing the given label: this arm sees it once, without a trajectory.
CONTROL = Arm("control", (*UNCERTAINTY.columns, "dynamics.final_loss"))

CLEAN, HARD, NEAR = AnomalyType.CLEAN, AnomalyType.HARD, AnomalyType.NEAR_MISS
SUBTLE = (NEAR, HARD)

CLAIMS = (
    Claim(
        "H1",
        "Distance finds gross errors, but not subtle ones",
        "Gross label errors and out-of-distribution images lie far from the prototype of their given class, so geometry"
        " tells them from clean images; it cannot tell near-miss errors from clean but hard images.",
        (
            Part(AnomalyType.GROSS, CLEAN, (GEOMETRY,), Rule.AT_LEAST, (0.90,)),
            Part(AnomalyType.OOD, CLEAN, (GEOMETRY,), Rule.AT_LEAST, (0.90,)),
            Part(*SUBTLE, (GEOMETRY,), Rule.WITHIN, (0.40, 0.60), level=0.90),
        ),
    ),
    Claim(
        "H2",
        "Uncertainty alone cannot tell a wrong label from a hard image",
        "Label-free uncertainty of the trained model is alike for near-miss errors and clean but hard images.",
        (Part(*SUBTLE, (UNCERTAINTY,), Rule.WITHIN, (0.45, 0.55), level=0.90),),
    ),
    Claim(
        "H3",
        "Training dynamics add what uncertainty lacks",
        "The course of training tells near-miss errors from clean but hard images better than the uncertainty of the "
        "trained model does.",
        (
            Part(*SUBTLE, (DYNAMICS, UNCERTAINTY), Rule.MORE_THAN, (0.03,)),
            Part(*SUBTLE, (DYNAMICS, CONTROL), Rule.MORE_THAN, (0.03,), decides=False),
        ),
    ),
)


def find_claims(names: str) -> tuple[Claim, ...]:
    """The claims of these names, separated by commas, or `all`. Raises UnknownName."""
    known = {claim.name: claim for claim in CLAIMS}
    if names == "all":
        return CLAIMS
    for name in names.split(","):
        if name not in known:
            raise UnknownName("claim", name, known)
    return tuple(claim for claim in CLAIMS if claim.name in names.split(","))


def signals_of(claims: Iterable[Claim]) -> list[str]:
    """The signals of all arms of these claims, each once, without the family."""
    columns = [column for claim in claims for part in claim.parts for arm in part.arms for column in arm.columns]
    return list(dict.fromkeys(column.partition(".")[2] for column in columns))


def find_part(claim: str, arm: str, metric: str) -> Part | None:
    """The part whose row this is in a verdict frame; None for rows that judge nothing by themselves."""
    parts = (part for entry in CLAIMS if entry.name == claim for part in entry.parts)
    return next((part for part in parts if (part.arm, part.metric) == (arm, metric)), None)

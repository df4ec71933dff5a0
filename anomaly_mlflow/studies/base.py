"""What a claim is, and the rule by which its interval becomes a verdict.

Rule of one part: *supported* when its whole interval lies where the claim says, *refuted* when the whole interval lies
beyond the margin, *undecided* otherwise (also where a type has too few rows, or comes from too few sources).
Rule of a claim: *supported* when every deciding part is, *refuted* when any is, *undecided* otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.statistics import Interval, equivalent, exceeds

__all__ = ["Arm", "Claim", "Part", "Rule", "Verdict", "arms_of", "overall", "part_verdict"]


class Verdict(StrEnum):
    """What the data says of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


class Rule(StrEnum):
    """Where the interval must lie for the claim to hold."""

    AT_LEAST = "at least"  # lower end at the margin or above; refuted when the upper end is below
    MORE_THAN = "more than"  # lower end above the margin; refuted when the upper end is below
    WITHIN = "within"  # interval inside the margins (TOST); refuted when wholly outside


@dataclass(frozen=True)
class Arm:
    """A set of signals, `family.signal` each: an arm stays what it was when further signals are added to a family."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One measurable part of a claim: can these signals tell the positives from the negatives, and how well?

    arms: one (measure = its AUROC) or two (measure = AUROC of the first less that of the second, paired).
    margin: bound of AT_LEAST and MORE_THAN, (low, high) of WITHIN. level: two-sided coverage of the interval.
    decides: False for a comparison that is printed beside the claim and has no vote.
    """

    positives: AnomalyType
    negatives: AnomalyType
    arms: tuple[Arm, ...]
    rule: Rule
    margin: tuple[float, ...]
    level: float = 0.95
    decides: bool = True

    @property
    def arm(self) -> str:
        """Name of the arm, or of both."""
        return " - ".join(arm.name for arm in self.arms)

    @property
    def comparison(self) -> str:
        """Which type is told from which."""
        return f"{self.positives}_vs_{self.negatives}"

    @property
    def metric(self) -> str:
        """Name of the measured quantity."""
        return f"{self.comparison}.{'auroc' if len(self.arms) == 1 else 'auroc_difference'}"


@dataclass(frozen=True)
class Claim:
    """A statement with its parts, written down before the data is seen."""

    name: str
    title: str
    statement: str
    parts: tuple[Part, ...]


def arms_of(claim: Claim) -> dict[str, list[Arm]]:
    """The arms that each pair of types needs, each once, by the name of the comparison."""
    needed: dict[str, list[Arm]] = {}
    for part in claim.parts:
        known = needed.setdefault(part.comparison, [])
        known.extend(arm for arm in part.arms if arm not in known)
    return needed


def part_verdict(part: Part, interval: Interval | None) -> Verdict:
    """The verdict of one part; no interval, or one whose ends are NaN, is no decision."""
    if interval is None:
        return Verdict.UNDECIDED
    if part.rule is Rule.WITHIN:
        holds = equivalent(interval, *part.margin)
    else:
        holds = exceeds(interval, *part.margin, strict=part.rule is Rule.MORE_THAN)
    return {True: Verdict.SUPPORTED, False: Verdict.REFUTED, None: Verdict.UNDECIDED}[holds]


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a claim from those of its deciding parts."""
    found = set(verdicts)
    if Verdict.REFUTED in found:
        return Verdict.REFUTED
    return Verdict.SUPPORTED if found == {Verdict.SUPPORTED} else Verdict.UNDECIDED

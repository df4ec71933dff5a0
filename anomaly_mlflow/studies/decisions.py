"""From held-out scores to the verdict of one part of a claim."""

from collections.abc import Callable
from dataclasses import dataclass

from anomaly_mlflow.detection.statistics import Interval, equivalent
from anomaly_mlflow.studies.base import Part, Rule, Verdict, part_verdict
from anomaly_mlflow.studies.comparison import Comparison

__all__ = ["Decision", "Resample", "decide"]

Resample = Callable[..., list[Interval]]
"""`detection.statistics.interval` with its draws and seed."""


@dataclass(frozen=True)
class Decision:
    """The interval of a part and its verdict; of an equivalence also the signal that speaks most against it."""

    interval: Interval | None
    verdict: Verdict
    farthest: str = ""
    farthest_interval: Interval | None = None


def decide(part: Part, comparison: Comparison | None, resample: Resample) -> Decision:
    """The verdict by the rule of the part; an equivalence holds only where it holds for each signal by itself too.

    A regression on many signals wastes part of what they know on fitting noise: on some hundred rows it reaches .53 to
    .54 where .55 is there to be had, and equivalence within .45 to .55 would be found in a fifth of such studies. A
    signal by itself is not fitted. All must be equivalent, which makes the test no larger (intersection-union test,
    Berger 1982, Technometrics 24). What many signals know together and none alone can still escape where rows are few.
    A part whose arms lack signals was not put to the data as it was written down: undecided.
    """
    if comparison is None:
        return Decision(None, Verdict.UNDECIDED)
    rows = comparison.positive, comparison.groups
    found = resample(comparison.auroc(part.arms), *rows, level=part.level)[0]
    whole = all(column in comparison.signal for arm in part.arms for column in arm.columns)
    verdict = part_verdict(part, found) if whole else Verdict.UNDECIDED
    if part.rule is not Rule.WITHIN:
        return Decision(found, verdict)
    columns = [column for column in part.arms[0].columns if column in comparison.signal]
    single = {name: resample(comparison.auroc_of_signal(name), *rows, level=part.level)[0] for name in columns}
    if verdict is Verdict.SUPPORTED and not all(equivalent(ends, *part.margin) for ends in single.values()):
        verdict = Verdict.UNDECIDED
    farthest = max(single, key=lambda name: _reach(single[name]))
    return Decision(found, verdict, farthest, single[farthest])


def _reach(ends: Interval) -> float:
    """How far from a coin toss the interval reaches, or the value where there is none."""
    return max(abs(end - 0.5) for end in ((ends.low, ends.high) if ends.low == ends.low else (ends.value,)))

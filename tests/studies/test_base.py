import pytest

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.statistics import Interval
from anomaly_mlflow.studies.base import Arm, Part, Rule, Verdict, overall, part_verdict

S, R, U = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.UNDECIDED


def part(rule, *margin):
    return Part(AnomalyType.NEAR_MISS, AnomalyType.HARD, (Arm("geometry", ("geometry.knn_distance",)),), rule, margin)


@pytest.mark.parametrize(
    ("rule", "margin", "ends", "verdict"),
    [
        (Rule.AT_LEAST, (0.9,), (0.9, 0.99), S),
        (Rule.AT_LEAST, (0.9,), (0.85, 0.95), U),
        (Rule.AT_LEAST, (0.9,), (0.7, 0.89), R),
        (Rule.MORE_THAN, (0.03,), (0.031, 0.1), S),
        (Rule.MORE_THAN, (0.03,), (0.03, 0.1), U),
        (Rule.MORE_THAN, (0.03,), (-0.1, 0.02), R),
        (Rule.WITHIN, (0.45, 0.55), (0.46, 0.55), S),
        (Rule.WITHIN, (0.45, 0.55), (0.4, 0.5), U),
        (Rule.WITHIN, (0.45, 0.55), (0.56, 0.7), R),
    ],
)
def test_the_whole_interval_decides(rule, margin, ends, verdict):
    assert part_verdict(part(rule, *margin), Interval(sum(ends) / 2, *ends)) is verdict


def test_no_interval_is_no_decision():
    assert part_verdict(part(Rule.AT_LEAST, 0.9), None) is U


@pytest.mark.parametrize(("verdicts", "whole"), [([S, S], S), ([S, U], U), ([S, R], R), ([U, R], R), ([U], U), ([], U)])
def test_a_claim_stands_with_all_parts_and_falls_with_any(verdicts, whole):
    assert overall(verdicts) is whole

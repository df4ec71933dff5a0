import pytest

from anomaly_mlflow.report.phrases import PHRASES, phrase
from anomaly_mlflow.signals import SIGNALS


def test_every_signal_of_ours_has_two_phrases_of_its_own_and_no_phrase_is_left_over():
    ours = {name for name, one in SIGNALS.items() if one.function.__module__.startswith("anomaly_mlflow.")}
    assert set(PHRASES) == ours
    clauses = [clause for pair in PHRASES.values() for clause in pair]
    assert len(set(clauses)) == len(clauses) and all(clause and clause[-1] not in ".,;" for clause in clauses)


@pytest.mark.parametrize(
    ("percentile", "said"),
    [
        (0.985, "stayed high to the end (top 2 %)"),
        (0.5, "stayed high to the end (top 50 %)"),
        (0.49, "ended low (bottom 49 %)"),
        (0.9999, "(top 1 %)"),
        (0.0, "(bottom 1 %)"),
    ],
)
def test_a_share_is_rounded_up_and_never_nought(percentile, said):
    assert phrase("dynamics.final_loss", percentile).endswith(said)


def test_a_signal_from_outside_is_told_by_its_name():
    assert phrase("label.mine", 0.9) == "mine is high (top 10 %)" and phrase("label.mine", 0.1).startswith(
        "mine is low"
    )

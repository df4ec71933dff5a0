"""A verdict in words for people: a statement ..."""

from anomaly_mlflow.studies.base import Verdict

__all__ = ["HOLDS"]

HOLDS = {
    Verdict.SUPPORTED: "holds",
    Verdict.REFUTED: "does not hold",
    Verdict.UNDECIDED: "is not settled",
}

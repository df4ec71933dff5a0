"""Which types a detector is to tell from which."""

from dataclasses import dataclass

from anomaly_mlflow.anomalies.types import AnomalyType as T

__all__ = ["TASKS", "Task"]


@dataclass(frozen=True)
class Task:
    """Positives against negatives, by their types."""

    positives: tuple[T, ...]
    negatives: tuple[T, ...]


TASKS: dict[str, Task] = {
    "error": Task((T.NEAR_MISS, T.GROSS, T.RANDOM_FLIP, T.HUMAN_ERROR, T.OOD), (T.CLEAN, T.HARD)),
    "near_miss_vs_hard": Task((T.NEAR_MISS,), (T.HARD,)),
    "gross_vs_clean": Task((T.GROSS,), (T.CLEAN,)),
    "ood_vs_clean": Task((T.OOD,), (T.CLEAN,)),
}

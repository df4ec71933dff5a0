"""The names of the six anomaly types."""

from enum import StrEnum

__all__ = ["AnomalyType"]


class AnomalyType(StrEnum):
    """What is (or is not) wrong with a sample, in the order in which tables list them."""

    CLEAN = "clean"
    HARD = "hard"
    NEAR_MISS = "near_miss"
    GROSS = "gross"
    RANDOM_FLIP = "random_flip"
    OOD = "ood"

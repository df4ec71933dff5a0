"""The names of the anomaly types, and of defects that no type covers."""

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["MADE", "AnomalyType", "ImageDefect", "listed"]


class AnomalyType(StrEnum):
    """What is (or is not) wrong with a sample, in the order in which tables list them.

    All but `human_error`, a wrong label that people really gave, are made or marked here.
    """

    CLEAN = "clean"
    HARD = "hard"
    NEAR_MISS = "near_miss"
    GROSS = "gross"
    RANDOM_FLIP = "random_flip"
    OOD = "ood"
    HUMAN_ERROR = "human_error"


MADE = tuple(kind for kind in AnomalyType if kind is not AnomalyType.HUMAN_ERROR)


def listed(types: Iterable[str]) -> tuple[AnomalyType, ...]:
    """The types that tables of this ledger list: the six that are made or marked, `human_error` where it occurs."""
    return (*MADE, AnomalyType.HUMAN_ERROR) if AnomalyType.HUMAN_ERROR in set(types) else MADE


class ImageDefect(StrEnum):
    """What can be wrong with an image whatever its label; signals may target it, no study injects it."""

    DARK = "dark"
    LIGHT = "light"
    BLURRY = "blurry"
    LOW_INFORMATION = "low_information"
    DUPLICATE = "duplicate"

"""The names of the anomaly types, and of defects that no type covers."""

from enum import StrEnum

__all__ = ["AnomalyType", "ImageDefect"]


class AnomalyType(StrEnum):
    """What is (or is not) wrong with a sample, in the order in which tables list them."""

    CLEAN = "clean"
    HARD = "hard"
    NEAR_MISS = "near_miss"
    GROSS = "gross"
    RANDOM_FLIP = "random_flip"
    OOD = "ood"


class ImageDefect(StrEnum):
    """What can be wrong with an image whatever its label; signals may target it, no study injects it."""

    DARK = "dark"
    LIGHT = "light"
    BLURRY = "blurry"
    LOW_INFORMATION = "low_information"
    DUPLICATE = "duplicate"

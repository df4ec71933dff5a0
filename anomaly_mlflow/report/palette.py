"""Colours and words for types and verdicts, the same in every figure and on the page."""

from anomaly_mlflow.anomalies.types import AnomalyType as T

__all__ = ["COLORS", "MEANINGS", "NAMES", "PLURALS", "SINGULARS", "VERDICT_COLORS", "type_name"]

# Okabe and Ito (2008), told apart also by colour-blind readers.
COLORS = {
    T.CLEAN: "#7a828c",
    T.HARD: "#e69f00",
    T.NEAR_MISS: "#0072b2",
    T.GROSS: "#d55e00",
    T.RANDOM_FLIP: "#cc79a7",
    T.OOD: "#009e73",
    T.HUMAN_ERROR: "#56b4e9",
}
NAMES = {
    T.CLEAN: "clean",
    T.HARD: "hard",
    T.NEAR_MISS: "near miss",
    T.GROSS: "gross",
    T.RANDOM_FLIP: "random flip",
    T.OOD: "OOD",
    T.HUMAN_ERROR: "human error",
}
PLURALS = {
    T.CLEAN: "clean images",
    T.HARD: "hard images",
    T.NEAR_MISS: "near-miss errors",
    T.GROSS: "gross errors",
    T.RANDOM_FLIP: "random flips",
    T.OOD: "out-of-distribution images",
    T.HUMAN_ERROR: "human label errors",
}
SINGULARS = {
    T.CLEAN: "a clean image",
    T.HARD: "a hard image",
    T.NEAR_MISS: "a near miss",
    T.GROSS: "a gross error",
    T.RANDOM_FLIP: "a random flip",
    T.OOD: "an image of no class",
    T.HUMAN_ERROR: "a human label error",
}
MEANINGS = {
    T.CLEAN: "Nothing was changed.",
    T.HARD: "Nothing was changed; a model that had not seen the image, or people, were unsure of its right label.",
    T.NEAR_MISS: "The label was swapped for that of a similar class.",
    T.GROSS: "The label was swapped for that of a class far away.",
    T.RANDOM_FLIP: "The label was swapped for that of any other class.",
    T.OOD: "The image was replaced by one that belongs to no class.",
    T.HUMAN_ERROR: "Nothing was changed; people gave the image a wrong label.",
}
VERDICT_COLORS = {"supported": "#1a7f4b", "refuted": "#b42318", "undecided": "#8a6500"}


def type_name(name: str) -> str:
    """The words for a type, or for a merger of types."""
    return NAMES[T(name)] if name in {str(kind) for kind in T} else str(name).replace("_", " ")

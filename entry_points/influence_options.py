"""The options of the influence signals, and what they mean."""

from itertools import product

from anomaly_mlflow.signals.influence_scores import InfluenceSettings

__all__ = ["INFLUENCE", "as_published", "every_influence", "influence_settings", "scores_file"]

INFLUENCE = {"influence_bias": ("yes", "no"), "influence_norm": ("none", "cosine")}
"""Option -> its values, the published one first."""


def influence_settings(options: dict) -> InfluenceSettings:
    """The settings that a step's options ask for, on the device of its trainings."""
    bias, cosine = options["influence_bias"] == "yes", options["influence_norm"] == "cosine"
    return InfluenceSettings(bias, cosine, options["device"])


def every_influence(options: dict) -> list[dict]:
    """The options with each combination of these values, the published one first."""
    return [options | dict(zip(INFLUENCE, values, strict=True)) for values in product(*INFLUENCE.values())]


def as_published(options: dict) -> bool:
    """Whether the influence is that of the papers."""
    return all(options[name] == values[0] for name, values in INFLUENCE.items())


def scores_file(options: dict) -> str:
    """The artifact that holds the scores of these options."""
    return f"scores/bias={options['influence_bias']}-norm={options['influence_norm']}.parquet"

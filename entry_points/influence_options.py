"""The options of the influence signals, and what they mean."""

from anomaly_mlflow.signals.influence_scores import InfluenceSettings

__all__ = ["INFLUENCE", "influence_settings"]

INFLUENCE = ("influence_bias", "influence_norm")


def influence_settings(options: dict) -> InfluenceSettings:
    """The settings that a step's options ask for, on the device of its trainings."""
    bias, cosine = options["influence_bias"] == "yes", options["influence_norm"] == "cosine"
    return InfluenceSettings(bias, cosine, options["device"])

"""Which evidence signals ask for, and which trainings make it."""

from collections.abc import Iterable

from anomaly_mlflow.signals.base import find

__all__ = ["FROM_CLEAN", "FROM_FOLDS", "FROM_NOISY", "FROM_PASSES", "FROM_PROBES", "needs_of"]

FROM_CLEAN = {"references"}
FROM_FOLDS = {"out_of_fold", "second_split"}
FROM_PROBES = {"probes"}
FROM_PASSES = {
    "logits",
    "embeddings",
    "head",
    "layers",
    "stochastic",
    "rearranged",
}  # evaluation passes of the noisy model
FROM_NOISY = {"recording", "gradient_spread", "traces", *FROM_PASSES}


def needs_of(names: Iterable[str]) -> set[str]:
    """The fields of Evidence that these signals read."""
    return {need for name in names for need in find(name).needs}

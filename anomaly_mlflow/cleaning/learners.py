"""Ways to train on labels that may be wrong, by name."""

from collections.abc import Callable

from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import UnknownName
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.config import TrainConfig
from anomaly_mlflow.training.loop import OnEpoch, fit

__all__ = ["LEARNERS", "find_learner"]


def plain(
    samples: Samples, config: TrainConfig, seed: int, device: str = "auto", on_epoch: OnEpoch | None = None
) -> Classifier:
    """Cross-entropy of the given labels."""
    return fit(samples, config, seed=seed, device=device, on_epoch=on_epoch)[0]


LEARNERS: dict[str, Callable[..., Classifier]] = {"plain": plain}


def find_learner(name: str) -> Callable[..., Classifier]:
    """The learner of this name. Raises UnknownName."""
    if name not in LEARNERS:
        raise UnknownName("learner", name, LEARNERS)
    return LEARNERS[name]

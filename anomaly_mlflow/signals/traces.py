"""What TracIn needs of a training: its saved states, as they see the training rows and a reference set."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from anomaly_mlflow.data.groups import fingerprints
from anomaly_mlflow.data.on_disk import each
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.models import Classifier
from anomaly_mlflow.training.inference import infer

__all__ = ["REFERENCES", "Checkpoint", "Traces", "collect_traces", "reference_rows", "unseen"]

REFERENCES = 2000
"""Reference samples at most: the time of the signals grows with them, not what they tell."""

logger = logging.getLogger("anomaly_mlflow")


@dataclass(frozen=True)
class Checkpoint:
    """One saved state of one training, in evaluation mode.

    rate: learning rate actually used, mean over the epoch that ended in this state;
    embeddings: float32 (n, d), input of the last layer; probabilities: float32 (n, C), softmax of its output;
    reference_embeddings, reference_probabilities: the same of the reference samples, (m, d) and (m, C).
    """

    rate: float
    embeddings: np.ndarray
    probabilities: np.ndarray
    reference_embeddings: np.ndarray
    reference_probabilities: np.ndarray


@dataclass(frozen=True)
class Traces:
    """Saved states of one training in their order; the reference samples were never trained on.

    labels: int64 (n,), as given; reference_labels: int64 (m,). Raises BadData where something does not fit the rest or
    is no number, a rate is not positive, or there is no state or no reference sample.
    """

    checkpoints: Sequence[Checkpoint]
    labels: np.ndarray
    reference_labels: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.checkpoints) or not len(self.reference_labels) or not len(self.labels):
            raise BadData("influence needs saved states, rows and reference samples; one of them is empty")
        for number, checkpoint in enumerate(self.checkpoints):
            if reason := self._flaw(checkpoint):
                raise BadData(f"saved state {number} of the training cannot be used for influence: {reason}")
        if self.num_classes < 2:
            raise BadData("influence needs two classes or more")
        for name, labels in (("given", self.labels), ("reference", self.reference_labels)):
            if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= self.num_classes:
                raise BadData(f"the {name} labels are no classes 0 to {self.num_classes - 1} of the model")

    @property
    def num_classes(self) -> int:
        """Number of classes, C."""
        return self.checkpoints[0].probabilities.shape[1]

    def _flaw(self, checkpoint: Checkpoint) -> str:
        if not (np.isfinite(checkpoint.rate) and checkpoint.rate > 0):
            return f"its learning rate is {checkpoint.rate}, not above 0"
        wanted = [checkpoint.embeddings.shape[1:], np.shape(self.checkpoints[0].probabilities)[1:]]
        sides = (
            (self.labels, checkpoint.embeddings, checkpoint.probabilities),
            (self.reference_labels, checkpoint.reference_embeddings, checkpoint.reference_probabilities),
        )
        for labels, *arrays in sides:
            shapes = [array.shape for array in arrays]
            if labels.ndim != 1 or shapes != [(len(labels), *width) for width in wanted] or arrays[0].ndim != 2:
                return f"arrays of shapes {', '.join(map(str, shapes))} do not fit {len(labels)} labels"
            if not all(np.isfinite(array).all() for array in arrays):
                return "it holds NaN or infinity"
        return ""


def collect_traces(
    models: Iterable[Classifier], rates: Sequence[float], samples: Samples, reference: Samples
) -> Traces:
    """Evaluate the states of a training, one at a time, on its samples and on the reference.

    models: in order of training; they may be loaded as they are asked for; rates: one for each. Raises BadData.
    """
    checkpoints = [_evaluated(model, rate, samples, reference) for model, rate in zip(models, rates, strict=True)]
    return Traces(checkpoints, samples.labels.view(), reference.labels.view())


def _evaluated(model: Classifier, rate: float, samples: Samples, reference: Samples) -> Checkpoint:
    seen = [infer(model, side.images) for side in (samples, reference)]
    return Checkpoint(float(rate), *(array for z, logits in seen for array in (z, softmax(logits, axis=1))))


def reference_rows(labels: np.ndarray, seed: int, most: int = REFERENCES) -> np.ndarray:
    """Positions of at most so many samples, int64, ascending; the classes in their shares. labels: int64 (m,)."""
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    return np.sort(order[np.arange(most) * len(labels) // most])


def unseen(reference: Samples, samples: Samples) -> Samples:
    """The reference samples without images that equal one of the samples, which a training on these has seen.

    A few may be equal by chance: they are left out with a warning. Raises Leakage where it is more than 1 %.
    """
    twins = np.isin(fingerprints(each(reference.images)), fingerprints(each(samples.images)))
    if not twins.any():
        return reference
    found = f"{twins.sum()} of {len(reference)} reference images are among the training images"
    if twins.mean() > 0.01:
        raise Leakage(f"{found}; name another source of anomalies (or ood), or another test set")
    logger.warning("%s; they are left out of the reference set", found)
    return reference.take(~twins)

"""All that a signal may see of a study: no field of it holds the truth."""

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.preprocessing import normalize

from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.signals.archaeology import suite_shares
from anomaly_mlflow.signals.covariance import whitening
from anomaly_mlflow.signals.influence_scores import InfluenceScores, InfluenceSettings, influence_scores
from anomaly_mlflow.signals.neighbours import Neighbours, nearest
from anomaly_mlflow.signals.traces import Traces
from anomaly_mlflow.training.probes import ProbeRun
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.second_split import SecondSplit
from anomaly_mlflow.training.top_recording import TopRecording

__all__ = ["CrossFit", "Evidence", "Head"]

NEIGHBOURS = 30
"""Nearest neighbours that are searched once and shared; a signal takes the first of them."""


@dataclass(frozen=True)
class Head:
    """The noisy model's last layer: weight float32 (C, d), bias float32 (C,); logits = weight @ z + bias."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class CrossFit:
    """One fold of the clean side: rows judged by an encoder and references that never saw them.

    rows: int64 (m,), positions of the judged rows; embeddings: float32 (m, d);
    judged_groups, reference_groups: int64, source groups of both sides; checked and not kept, since they tell
        strangers from the rest;
    reference_embeddings: float32 (r, d); reference_labels: int64 (r,), of clean rows of other folds.
    Raises Leakage where a group stands on both sides. What is derived is computed once and read-only.
    """

    rows: np.ndarray
    embeddings: np.ndarray
    judged_groups: InitVar[np.ndarray]
    reference_embeddings: np.ndarray
    reference_labels: np.ndarray
    reference_groups: InitVar[np.ndarray]

    def __post_init__(self, judged_groups: np.ndarray, reference_groups: np.ndarray) -> None:
        shared = np.intersect1d(judged_groups, reference_groups)
        if len(shared):
            raise Leakage(
                f"{len(shared)} rows are judged by an encoder that saw them (group {shared[0]}); refit the folds"
            )

    @cached_property
    def unit(self) -> np.ndarray:
        """The judged embeddings scaled to length 1, float64 (m, d)."""
        return _read_only(normalize(self.embeddings.astype(np.float64)))

    @cached_property
    def unit_references(self) -> np.ndarray:
        """The reference embeddings scaled to length 1, float64 (r, d)."""
        return _read_only(normalize(self.reference_embeddings.astype(np.float64)))

    @cached_property
    def neighbours(self) -> Neighbours:
        """The nearest references of each judged row, on unit vectors."""
        return nearest(self.unit_references, NEIGHBOURS, self.unit)

    @cached_property
    def reference_neighbours(self) -> Neighbours:
        """The nearest other references of each reference, on unit vectors."""
        return nearest(self.unit_references, NEIGHBOURS)

    @cached_property
    def whitening(self) -> np.ndarray:
        """float64 (d, d), makes the covariance of the references within their classes the identity (`covariance`)."""
        known = self.reference_embeddings.astype(np.float64)
        members, count = np.unique(self.reference_labels, return_inverse=True, return_counts=True)[1:]
        means = np.eye(len(count))[members].T @ known / count[:, None]
        return _read_only(whitening(known - means[members]))


@dataclass(frozen=True)
class Evidence:
    """All that a signal may see. The ledger is no part of it.

    sample_id, labels: int64 (n,), labels as given; num_classes: C.
    images: uint8 (n, height, width, channels).
    logits: float32 (n, C), evaluation pass of the noisy model; embeddings: float32 (n, d), input of its head.
    head: the noisy model's last layer.
    layers: float32 (n, d_l) each, outputs of the noisy model's stages averaged over positions, `embeddings` last.
    gradient_spread: float32 (n,), mean over pixels of the standard deviation over snapshots of the input gradient of
        the given label's logit.
    stochastic: float32 (passes, n, C), logits of passes with dropout on.
    rearranged: float32 (orders, n, C), logits of the noisy model for the images with their parts in other places.
    recording: logits of the training batches; of more than 100 classes the largest.
    references: the cross-fitted clean side; its folds cover every row once.
    out_of_fold: float32 (n, C), logits of models trained on the given labels of other folds.
    second_split: what was forgotten while models trained on one part went on with another.
    probes: trainings with rows that were spoiled on purpose and are known.
    traces: saved states of the noisy model beside a reference set that it was not trained on.
    influence_settings: how the influence of the rows is computed from them, and on which device.
    What is derived is computed once and read-only.
    """

    sample_id: np.ndarray
    labels: np.ndarray
    num_classes: int
    images: np.ndarray | None = None
    logits: np.ndarray | None = None
    embeddings: np.ndarray | None = None
    head: Head | None = None
    layers: Sequence[np.ndarray] | None = None
    gradient_spread: np.ndarray | None = None
    stochastic: np.ndarray | None = None
    rearranged: np.ndarray | None = None
    recording: Recording | TopRecording | None = None
    references: Sequence[CrossFit] | None = None
    out_of_fold: np.ndarray | None = None
    second_split: Sequence[SecondSplit] | None = None
    probes: Sequence[ProbeRun] | None = None
    traces: Traces | None = None
    influence_settings: InfluenceSettings = field(default_factory=InfluenceSettings)

    def __post_init__(self) -> None:
        if self.recording is not None and not np.array_equal(self.recording.sample_id, self.sample_id):
            raise BadData("the recording and the samples have different ids or another order")
        if self.traces is not None and not np.array_equal(self.traces.labels, self.labels):
            raise BadData("the saved states were evaluated on samples with other labels or in another order")
        if self.references is not None:
            judged = np.concatenate([fold.rows for fold in self.references])
            if not np.array_equal(np.sort(judged), np.arange(len(self.labels))):
                raise BadData("the cross-fitted folds must cover every row exactly once")

    @cached_property
    def log_probabilities(self) -> np.ndarray:
        """Log-softmax of `logits`, float64 (n, C)."""
        return _read_only(log_softmax(self.logits.astype(np.float64), axis=1))

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Softmax of `logits`, float64 (n, C)."""
        return _read_only(np.exp(self.log_probabilities))

    @cached_property
    def stochastic_probabilities(self) -> np.ndarray:
        """Softmax of `stochastic`, float32 (passes, n, C)."""
        return _read_only(softmax(self.stochastic, axis=2))

    @cached_property
    def out_of_fold_probabilities(self) -> np.ndarray:
        """Softmax of `out_of_fold`, float64 (n, C)."""
        return _read_only(softmax(self.out_of_fold.astype(np.float64), axis=1))

    @cached_property
    def unit(self) -> np.ndarray:
        """`embeddings` scaled to length 1, float64 (n, d)."""
        return _read_only(normalize(self.embeddings.astype(np.float64)))

    @cached_property
    def neighbours(self) -> Neighbours:
        """The nearest other rows of each row in the noisy model's embedding, on unit vectors."""
        return nearest(self.unit, NEIGHBOURS)

    @cached_property
    def suite_shares(self) -> np.ndarray:
        """Share of each suite among the nearest probes, float64 (n, suites)."""
        return _read_only(suite_shares(self.probes))

    @cached_property
    def influence(self) -> InfluenceScores:
        """Scores of the influence of each row on the reference samples of `traces`."""
        scores = influence_scores(self.traces, **vars(self.influence_settings))
        for values in vars(scores).values():
            _read_only(values)
        return scores


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array

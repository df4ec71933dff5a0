"""What every signal must obey, each law as a check that raises AssertionError."""

from dataclasses import fields, is_dataclass, replace
from hashlib import sha256

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from anomaly_mlflow.anomalies.types import MADE, AnomalyType, ImageDefect
from anomaly_mlflow.errors import MissingEvidence
from anomaly_mlflow.signals import FAMILIES, Evidence
from anomaly_mlflow.training.recording import Recording

OPTIONAL = tuple(field.name for field in fields(Evidence) if field.default is None)
DERIVED = ("log_probabilities", "probabilities", "loss", "confidence", "margin", "entropy", "error_norm", "predicted")
TARGETS = {*MADE[1:], *ImageDefect}


def check_declaration(signal):
    assert signal.family in FAMILIES
    assert signal.needs and set(signal.needs) <= set(OPTIONAL), "needs must name optional evidence"
    assert set(signal.targets) <= TARGETS and signal.targets
    assert signal.source.strip() and signal.cost.strip() and (signal.function.__doc__ or "").strip()


def check_shape(signal, evidence):
    values = signal(evidence)
    assert values.shape == evidence.labels.shape and values.dtype == np.float64
    assert np.isfinite(values).all(), "not finite"


def check_permutation(signal, evidence, permuted, order):
    np.testing.assert_allclose(signal(permuted), signal(evidence)[order], rtol=1e-6, atol=1e-9)


def check_leaves_evidence_unchanged(signal, evidence):
    before = fingerprint(evidence)
    first = signal(evidence).copy()
    assert fingerprint(evidence) == before, "the evidence was changed"
    np.testing.assert_array_equal(signal(evidence), first)


def check_finds(signal, evidence, types, target):
    clean, planted = types == AnomalyType.CLEAN, types == target
    area = roc_auc_score(planted[clean | planted], signal(evidence)[clean | planted])
    assert area > 0.9, f"AUROC {area:.3f} for {target}"


def check_missing(signal, evidence):
    for need in signal.needs:
        with pytest.raises(MissingEvidence, match=rf"'{signal.name}' needs {need}"):
            signal(replace(evidence, **{need: None}))


def check_needs_no_more_than_declared(signal, evidence):
    others = {name: None for name in OPTIONAL if name not in signal.needs}
    np.testing.assert_array_equal(signal(replace(evidence, **others)), signal(evidence))


def check_blind_to_labels(signal, evidence):
    np.testing.assert_array_equal(signal(relabelled(evidence)), signal(evidence))


def relabelled(evidence):
    """Every given label moved on by one class; what was computed from images alone stays."""
    labels, record = (evidence.labels + 1) % evidence.num_classes, evidence.recording
    recording = Recording(record.logits, labels, record.sample_id, record.learning_rate)
    return replace(evidence, labels=labels, recording=recording, traces=replace(evidence.traces, labels=labels))


def fingerprint(evidence):
    """Digest of all arrays, those that the recording has derived and keeps included."""
    arrays = [*_arrays(evidence), *(getattr(evidence.recording, name) for name in DERIVED)]
    return sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def _arrays(part):
    """All arrays in the fields of a dataclass and of those that it holds."""
    if isinstance(part, np.ndarray):
        yield part
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _arrays(each)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _arrays(getattr(part, field.name))

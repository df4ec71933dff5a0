"""What every cleaner must obey, each law as a check that raises AssertionError."""

from dataclasses import replace

import numpy as np
import pytest
from signal_laws import OPTIONAL, fingerprint
from sklearn.metrics import roc_auc_score

from anomaly_mlflow.cleaning import MECHANISMS
from anomaly_mlflow.errors import MissingEvidence

FEW = 0.05


def check_declaration(cleaner):
    assert cleaner.mechanism in MECHANISMS
    assert cleaner.needs and set(cleaner.needs) <= set(OPTIONAL), "needs must name optional evidence"
    assert cleaner.source.strip() and (cleaner.function.__doc__ or "").strip()


def check_answer(cleaner, evidence):
    found, rows = cleaner(evidence), evidence.labels.shape
    kinds = {"trust": np.float64, "kept": np.bool_, "labels": np.int64, "confidence": np.float64}
    for name, kind in kinds.items():
        values = getattr(found, name)
        assert values.shape == rows and values.dtype == kind, name
    for values in (found.trust, found.confidence):
        assert (values >= 0).all() and (values <= 1).all(), "not in 0 .. 1"
    assert np.isin(found.labels, np.arange(evidence.num_classes)).all(), "no class"
    if not cleaner.repairs:
        np.testing.assert_array_equal(found.labels, evidence.labels)


def check_permutation(cleaner, evidence, permuted, order):
    check_same(cleaner(permuted), cleaner(evidence), order)


def check_repeats(cleaner, evidence):
    for seed in (0, 3):
        check_same(cleaner(evidence, seed), cleaner(evidence, seed), slice(None), tolerance=0)


def check_leaves_evidence_unchanged(cleaner, evidence):
    before = fingerprint(evidence)
    found = cleaner(evidence)
    assert fingerprint(evidence) == before, "the evidence was changed"
    assert not np.shares_memory(found.labels, evidence.labels), "the answer is the evidence itself"


def check_same(found, expected, order, tolerance=1e-6):
    for name in ("trust", "confidence"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name)[order], rtol=tolerance, atol=tolerance)
    for name in ("kept", "labels"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name)[order])


def check_finds(cleaner, evidence, truth):
    area = roc_auc_score(evidence.labels != truth, 1 - cleaner(evidence).trust)
    assert area > 0.9, f"AUROC {area:.3f}"


def check_selects(cleaner, evidence, truth):
    """What is kept is purer than what was given, and is more than half of what is right."""
    kept, right = cleaner(evidence).kept, evidence.labels == truth
    assert right[kept].mean() > (1 + right.mean()) / 2, "what is kept is hardly purer"
    assert kept[right].mean() > 0.5, "most of what is right is not kept"


def check_repairs(cleaner, evidence, truth):
    wrong = evidence.labels != truth
    share = (cleaner(evidence).labels == truth)[wrong].mean()
    assert share > 0.8, f"{share:.3f} of the errors repaired"


def check_keeps_clean_labels(cleaner, evidence):
    share = cleaner(evidence).kept.mean()
    assert share > 1 - FEW, f"{share:.3f} of clean labels kept"


def check_changes_few_clean_labels(cleaner, evidence):
    share = (cleaner(evidence).labels != evidence.labels).mean()
    assert share < FEW, f"{share:.3f} of clean labels changed"


def check_missing(cleaner, evidence):
    for need in cleaner.needs:
        with pytest.raises(MissingEvidence, match=rf"^cleaner '{cleaner.name}' needs {need}[^\n]*$"):
            cleaner(replace(evidence, **{need: None}))


def check_needs_no_more_than_declared(cleaner, evidence):
    others = {name: None for name in OPTIONAL if name not in cleaner.needs}
    check_same(cleaner(replace(evidence, **others)), cleaner(evidence), slice(None), tolerance=0)

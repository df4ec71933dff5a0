import numpy as np
import pytest

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recording import Recording

SHAPES = ("loss", "confidence", "margin", "entropy", "predicted", "correct")


def recording(logits, labels):
    logits = np.asarray(logits, dtype=np.float16)
    return Recording(logits, np.asarray(labels), np.arange(len(labels)), np.full(len(logits), 0.1))


@pytest.fixture
def two_epochs():
    """Logits 0 and ln 3 give probabilities 1/4 and 3/4; the label is class 0, then learnt."""
    return recording([[[0, np.log(3)]], [[np.log(3), 0]]], [0])


def test_all_trajectories_derive_from_the_logits(two_epochs):
    np.testing.assert_allclose(two_epochs.confidence[:, 0], [1 / 4, 3 / 4], rtol=1e-3)
    np.testing.assert_allclose(two_epochs.loss[:, 0], [np.log(4), np.log(4 / 3)], rtol=1e-3)
    np.testing.assert_allclose(two_epochs.margin[:, 0], [-np.log(3), np.log(3)], rtol=1e-3)
    np.testing.assert_allclose(two_epochs.entropy[:, 0], [np.log(4) - 0.75 * np.log(3)] * 2, rtol=1e-3)
    np.testing.assert_array_equal(two_epochs.predicted[:, 0], [1, 0])
    np.testing.assert_array_equal(two_epochs.correct[:, 0], [False, True])


def test_trajectories_are_epochs_by_samples_and_float32():
    logits = np.random.default_rng(0).normal(size=(3, 5, 4))
    record = recording(logits, [0, 1, 2, 3, 0])
    assert {getattr(record, name).shape for name in SHAPES} == {(3, 5)}
    assert {getattr(record, name).dtype for name in SHAPES[:4]} == {np.dtype(np.float32)}
    assert record.correct.dtype == bool and record.predicted.dtype == np.int64
    assert record.probabilities.shape == record.log_probabilities.shape == (3, 5, 4)
    np.testing.assert_allclose(record.probabilities.sum(axis=2), 1, rtol=1e-5)


def test_every_sample_is_read_at_its_own_label():
    record = recording([[[1, 0, 0], [1, 0, 0], [0, 0, 5]]], [0, 1, 2])
    np.testing.assert_allclose(record.margin, [[1, -1, 5]])
    np.testing.assert_array_equal(record.correct, [[True, False, True]])


def test_the_margin_is_of_logits_and_moves_with_their_scale():
    logits = np.array([[[2.0, 1.0, 0.0]]])
    np.testing.assert_allclose(recording(4 * logits, [0]).margin, 4 * recording(logits, [0]).margin)


def test_deriving_leaves_the_logits_as_they_were():
    record = recording(np.random.default_rng(1).normal(size=(2, 3, 3)), [0, 1, 2])
    before = record.logits.copy()
    for name in SHAPES:
        getattr(record, name)
    np.testing.assert_array_equal(record.logits, before)


def test_what_is_derived_is_computed_once_and_cannot_be_changed():
    record = recording(np.random.default_rng(1).normal(size=(2, 3, 3)), [0, 1, 2])
    for name in (*SHAPES, "error_norm", "probabilities", "log_probabilities"):
        assert getattr(record, name) is getattr(record, name)
        with pytest.raises(ValueError, match="read-only"):
            getattr(record, name)[0, 0] = 0


def test_the_largest_logits_of_half_precision_stay_finite():
    record = recording([[[65504, -65504], [-65504, 65504]]], [0, 0])
    for name in SHAPES:
        assert np.isfinite(getattr(record, name)).all()
    np.testing.assert_allclose(record.loss, [[0, 131008]])


@pytest.mark.parametrize(("labels", "ids", "rates"), [(2, 3, 4), (3, 2, 4), (3, 3, 3)])
def test_lengths_that_do_not_fit_are_refused(labels, ids, rates):
    with pytest.raises(BadData, match="does not fit"):
        Recording(np.zeros((4, 3, 2), np.float16), np.zeros(labels, int), np.arange(ids), np.ones(rates))

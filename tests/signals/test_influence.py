"""Influence on a reference set: sums are those of the matrix of all pairs, and what must not change the scores."""

from dataclasses import fields, replace

import numpy as np
import pytest
from made_traces import C, M, N, random_traces

from anomaly_mlflow.signals import influence_sums
from anomaly_mlflow.signals.influence_scores import InfluenceScores, influence_scores
from anomaly_mlflow.signals.influence_sums import class_sums, self_influence, split_sums
from anomaly_mlflow.signals.traces import Checkpoint, Traces

NAMES = [field.name for field in fields(InfluenceScores)]


def all_pairs(traces, bias=True):
    """The matrix that the package never makes, from gradients that it never stores."""

    def gradients(z, p, labels):
        a = np.column_stack([z, np.ones(len(z))]) if bias else z
        return np.einsum("id,ic->idc", a, p - np.eye(traces.num_classes)[labels]).reshape(len(z), -1)

    return sum(
        state.rate
        * gradients(state.embeddings.astype(float), state.probabilities, traces.labels)
        @ gradients(state.reference_embeddings.astype(float), state.reference_probabilities, traces.reference_labels).T
        for state in traces.checkpoints
    )


@pytest.mark.parametrize("bias", [True, False])
def test_sums_are_those_of_the_matrix_of_all_pairs_and_the_sign_is_read_after_the_sum_over_states(bias):
    traces = random_traces()
    matrix, members = all_pairs(traces, bias), np.eye(C)[traces.reference_labels]
    [sums] = split_sums(traces, bias=bias)
    np.testing.assert_allclose(sums.positive, np.maximum(matrix, 0) @ members, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sums.negative, np.minimum(matrix, 0) @ members, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(class_sums(traces, bias=bias), matrix @ members, rtol=1e-9, atol=1e-12)
    own = traces.labels[:, None] == traces.reference_labels
    np.testing.assert_array_equal(sums.proponents, ((matrix > 0) & own).sum(axis=1))
    np.testing.assert_array_equal(sums.opponents, ((matrix < 0) & own).sum(axis=1))
    each = [split_sums(replace(traces, checkpoints=[state]), bias=bias)[0].positive for state in traces.checkpoints]
    assert (sums.positive < sum(each) - 1e-3).any(), "the sign of each state would give the same"


@pytest.mark.parametrize("match_scale", [False, True])
def test_counterfactual_scores_are_those_of_the_matrix_of_all_pairs(match_scale):
    traces = random_traces()
    matrix, members, rows = all_pairs(traces), np.eye(C)[traces.reference_labels], np.arange(N)
    helped, harmed = np.maximum(matrix, 0) @ members, np.minimum(matrix, 0) @ members
    states = traces if match_scale else replace(traces, checkpoints=traces.checkpoints[-1:])
    repaired, second = harmed.argmin(axis=1), helped.argsort(axis=1)[:, -2]
    other, another = (all_pairs(replace(states, labels=labels)) for labels in (repaired, second))
    scores = influence_scores(traces, match_scale=match_scale)
    np.testing.assert_array_equal(scores.repair_label, repaired)
    np.testing.assert_allclose(scores.cnci, (np.minimum(other, 0) @ members)[rows, traces.labels], rtol=1e-9)
    change = np.abs(helped - np.maximum(another, 0) @ members).max(axis=1)
    np.testing.assert_allclose(1 / scores.pcid, helped.sum(axis=1) * change + 1e-12, rtol=1e-9, atol=1e-13)


def test_many_classes_are_summed_another_way_to_the_same_end():
    traces = random_traces(classes=8)
    assert traces.num_classes**2 > M
    np.testing.assert_allclose(
        class_sums(traces), all_pairs(traces) @ np.eye(8)[traces.reference_labels], rtol=1e-9, atol=1e-12
    )


def test_rows_in_small_chunks_are_rows_all_at_once(monkeypatch):
    whole = influence_scores(random_traces())
    monkeypatch.setattr(influence_sums, "BOUND", 8 * M * 4 * 7)
    assert len(influence_sums._chunks(random_traces())) > 10
    parts = influence_scores(random_traces())
    for name in NAMES:
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9, err_msg=name)


def test_scores_follow_a_permutation_of_rows_and_do_not_see_the_order_of_the_reference():
    traces, rng = random_traces(), np.random.default_rng(1)
    rows, known = rng.permutation(N), rng.permutation(M)
    moved = [
        Checkpoint(s.rate, s.embeddings[rows], s.probabilities[rows], s.reference_embeddings[known],
                   s.reference_probabilities[known])
        for s in traces.checkpoints
    ]  # fmt: skip
    found = influence_scores(Traces(moved, traces.labels[rows], traces.reference_labels[known]))
    for name in NAMES:
        expected = getattr(influence_scores(traces), name)[rows]
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-9, err_msg=name)


def test_all_scores_are_float64_and_finite_and_the_repaired_label_is_a_class():
    scores = influence_scores(random_traces())
    for name in NAMES:
        values = getattr(scores, name)
        assert values.shape == (N,) and np.isfinite(values).all()
        assert values.dtype == (np.int64 if name == "repair_label" else np.float64)
    assert set(scores.repair_label) <= set(range(C)) and scores.cfrank.max() == 1 and (scores.cnci <= 0).all()


def test_by_the_cosine_the_length_of_embeddings_does_not_matter():
    traces = random_traces()
    longer = [
        replace(state, embeddings=state.embeddings * 8, reference_embeddings=state.reference_embeddings * 2)
        for state in traces.checkpoints
    ]
    longer = replace(traces, checkpoints=longer)
    how = {"bias": False, "cosine": True}
    np.testing.assert_allclose(class_sums(longer, **how), class_sums(traces, **how), rtol=1e-9)
    assert not np.allclose(class_sums(longer, bias=False), class_sums(traces, bias=False))
    own = self_influence(traces, cosine=True)
    np.testing.assert_allclose(own, sum(state.rate for state in traces.checkpoints))
    assert len(np.unique(own)) == 1, "rounding would rank rows that are all the same"


def test_rows_whose_class_has_no_reference_sample_are_neither_suspicious_nor_trusted():
    traces = random_traces()
    known = traces.reference_labels != 2
    states = [
        replace(s, reference_embeddings=s.reference_embeddings[known],
                reference_probabilities=s.reference_probabilities[known])
        for s in traces.checkpoints
    ]  # fmt: skip
    scores = influence_scores(replace(traces, checkpoints=states, reference_labels=traces.reference_labels[known]))
    missed = traces.labels == 2
    for name in ("cnci", "nil", "slip", "slin"):
        values = getattr(scores, name)
        assert (values[missed] == np.median(values[~missed])).all(), name


def test_harm_to_the_given_class_is_nil_where_no_embedding_has_a_negative_entry():
    traces = random_traces()
    states = [
        replace(s, embeddings=np.abs(s.embeddings), reference_embeddings=np.abs(s.reference_embeddings))
        for s in traces.checkpoints
    ]
    positive = replace(traces, checkpoints=states)
    assert not influence_scores(positive).nil.any() and influence_scores(traces).nil.any()

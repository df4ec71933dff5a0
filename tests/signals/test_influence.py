"""Influence on a reference set: what must not change it, what it refuses, where its traces are from."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.signals import Evidence, influence_sums
from anomaly_mlflow.signals.collect import collect
from anomaly_mlflow.signals.influence_scores import InfluenceScores, influence_scores, influences
from anomaly_mlflow.signals.influence_sums import class_sums, self_influence, split_sums
from anomaly_mlflow.signals.traces import Checkpoint, Traces, collect_traces, reference_rows
from anomaly_mlflow.training.checkpoints import save_model
from anomaly_mlflow.training.recording import Recording

N, M, D, C = 90, 40, 5, 4
NAMES = [field.name for field in fields(InfluenceScores)]


def random_traces(states=3, classes=C, m=M):
    rng = np.random.default_rng(7)

    def state(number):
        sides = [(rng.normal(size=(n, D)), softmax(2 * rng.normal(size=(n, classes)), axis=1)) for n in (N, m)]
        return Checkpoint(0.1 / (number + 1), *(array.astype(np.float32) for side in sides for array in side))

    made = [state(number) for number in range(states)]
    return Traces(made, rng.integers(0, classes, N), rng.integers(0, classes, m))


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
    np.testing.assert_allclose(self_influence(traces, cosine=True), sum(state.rate for state in traces.checkpoints))


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


def changed(**changes):
    traces = random_traces(2)
    return replace(traces, checkpoints=[traces.checkpoints[0], replace(traces.checkpoints[1], **changes)])


@pytest.mark.parametrize(
    ("make", "says"),
    [(lambda: changed(rate=0.0), "state 1 .*learning rate is 0.0"),
     (lambda: changed(rate=np.nan), "learning rate is nan"),
     (lambda: changed(embeddings=np.zeros((N - 1, D))), "do not fit 90 labels"),
     (lambda: changed(embeddings=np.zeros((N, D + 1))), "do not fit 40 labels"),
     (lambda: changed(reference_probabilities=np.zeros((M, C + 1))), "do not fit 40 labels"),
     (lambda: changed(probabilities=np.full((N, C), np.nan)), "NaN"),
     (lambda: changed(reference_embeddings=np.full((M, D), np.inf)), "NaN or infinity"),
     (lambda: replace(random_traces(), checkpoints=[]), "one of them is empty"),
     (lambda: random_traces(m=0), "one of them is empty"),
     (lambda: replace(random_traces(), labels=np.full(N, C)), "given labels are no classes 0 to 3"),
     (lambda: replace(random_traces(), reference_labels=np.full(M, -1)), "reference labels are no classes"),
     (lambda: Evidence(np.arange(N), np.zeros(N, int), C, traces=random_traces()), "other labels")],
)  # fmt: skip
def test_traces_that_do_not_fit_end_in_one_line(make, says):
    with pytest.raises(BadData, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_one_class_has_no_counterfactual():
    with pytest.raises(BadData, match="two classes"):
        random_traces(classes=1)


def test_reference_rows_keep_the_shares_of_the_classes_and_come_from_the_seed():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    rows = reference_rows(labels, seed=3, most=100)
    np.testing.assert_allclose(np.bincount(labels[rows]), [60, 30, 10], atol=1)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, reference_rows(labels, seed=3, most=100))
    assert not np.array_equal(rows, reference_rows(labels, seed=4, most=100))
    np.testing.assert_array_equal(reference_rows(labels, seed=3), np.arange(1000))


@pytest.fixture
def snapshots(stripes, tmp_path):
    """Five untrained models as the snapshots of a training of five epochs, and its recording."""
    for epoch in range(5):
        torch.manual_seed(epoch)
        save_model(build(Architecture("convnet", (8, 8, 1), 3)), tmp_path / f"epoch={epoch:04d}")
    logits = np.zeros((5, 120, 3), np.float16)
    return tmp_path, Recording(logits, stripes.labels, stripes.sample_id, np.linspace(0.5, 0.1, 5))


def test_traces_are_collected_state_by_state_with_the_rate_of_its_epoch(stripes, snapshots):
    folder, recording = snapshots
    rows, reference = stripes.take(np.arange(0, 120, 2)), stripes.take(np.arange(1, 120, 2))
    recording = replace(recording, logits=recording.logits[:, ::2], labels=rows.labels, sample_id=rows.sample_id)
    evidence = collect(
        rows, {"traces"}, clean=None, noisy=None, snapshots=folder, recording=recording, out_of_fold=None,
        second_split=None, probes=None, reference=reference, passes=1, seed=0,
    )  # fmt: skip
    traces = evidence.traces
    assert [state.rate for state in traces.checkpoints] == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1])
    np.testing.assert_array_equal(traces.reference_labels, reference.labels)
    torch.manual_seed(4)
    last = build(Architecture("convnet", (8, 8, 1), 3)).eval()
    images = torch.tensor(reference.images).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        expected = last(images).softmax(dim=1).numpy()
    np.testing.assert_allclose(traces.checkpoints[-1].reference_probabilities, expected, rtol=1e-4)
    assert traces.checkpoints[0].embeddings.dtype == np.float32 and not traces.checkpoints[0].embeddings.flags.writeable
    np.testing.assert_array_equal(evidence.influence.si, influences(traces).own)
    with pytest.raises(ValueError, match="read-only"):
        evidence.influence.cnci[0] = 0


def test_states_are_loaded_one_at_a_time(stripes):
    alive = []

    def models():
        for seed in range(3):
            alive.append(seed)
            torch.manual_seed(seed)
            yield build(Architecture("convnet", (8, 8, 1), 3)).eval()
            assert alive.pop() == seed

    traces = collect_traces(models(), [0.1, 0.1, 0.1], stripes, stripes)
    assert len(traces.checkpoints) == 3 and not alive
    assert not np.allclose(traces.checkpoints[0].embeddings, traces.checkpoints[1].embeddings)

"""Saved states as evidence: what is refused, and how they are collected from snapshots."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_traces import C, D, M, N, random_traces

from anomaly_mlflow.errors import BadData, BadOption, Leakage
from anomaly_mlflow.models import Architecture, build
from anomaly_mlflow.signals import Evidence
from anomaly_mlflow.signals.collect import collect
from anomaly_mlflow.signals.influence_scores import InfluenceSettings, influence_scores, influences
from anomaly_mlflow.signals.traces import collect_traces, reference_rows, unseen
from anomaly_mlflow.training.checkpoints import save_model
from anomaly_mlflow.training.recording import Recording


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


def test_evidence_computes_the_influence_as_its_settings_say():
    traces = random_traces()
    evidence = Evidence(np.arange(N), traces.labels, C, traces=traces)
    without = replace(evidence, influence_settings=InfluenceSettings(bias=False, cosine=True, device="cpu"))
    expected = influence_scores(traces, bias=False, cosine=True)
    np.testing.assert_array_equal(without.influence.mai, expected.mai)
    assert not np.allclose(evidence.influence.mai, expected.mai)
    with pytest.raises(BadOption, match="device 'abacus' cannot be used here"):
        _ = replace(evidence, influence_settings=InfluenceSettings(device="abacus")).influence


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


def test_a_reference_image_that_was_trained_on_is_left_out_and_several_are_refused(stripes, caplog):
    reference = stripes.take(np.arange(1, 120))
    reference = replace(reference, images=reference.images ^ 1)
    assert unseen(reference, stripes) is reference and not caplog.records
    images = stripes.images.copy()
    images[7] = reference.images[40]  # 1 of 119 is 0.8 %
    left = unseen(reference, replace(stripes, images=images))
    np.testing.assert_array_equal(left.sample_id, np.delete(reference.sample_id, 40))
    assert "1 of 119 reference images are among the training images; they are left out" in caplog.text
    images[8] = reference.images[41]
    with pytest.raises(Leakage, match="2 of 119 reference images are among the training images; name another source"):
        unseen(reference, replace(stripes, images=images))

"""More classes than a recording keeps logits of: what stays exact, what is approximated."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from anomaly_mlflow.errors import BadData, MissingEvidence
from anomaly_mlflow.signals import SIGNALS, Evidence, feature_table, suggested_label
from anomaly_mlflow.training.epoch_files import read_recording, write_epoch
from anomaly_mlflow.training.recorder import Recorder
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording

N, CLASSES, EPOCHS = 400, 150, 9
OF_RECORDING = [signal for signal in SIGNALS.values() if signal.needs == ("recording",)]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same training with all logits, and as the recorder keeps it."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, N)
    labels = np.where(rng.random(N) < 0.2, rng.integers(0, CLASSES, N), truth)
    steps = np.arange(EPOCHS)[:, None, None]
    logits = rng.normal(size=(EPOCHS, N, CLASSES)) + steps * np.eye(CLASSES)[truth]
    logits += np.maximum(steps - 5, 0) * 4 * np.eye(CLASSES)[labels] * (rng.random((N, 1)) < 0.5)
    logits = logits.astype(np.float16)
    folder = tmp_path_factory.mktemp("recording")
    recorder = Recorder(folder)
    for epoch in logits:
        for rows in rng.permutation(N).reshape(-1, 50):
            recorder.record(rows, torch.from_numpy(epoch[rows]), labels[rows])
    recorder.finish()
    return Recording(logits, labels, np.arange(N), np.ones(EPOCHS)), read_recording(folder)


def features(recording):
    evidence = Evidence(recording.sample_id, recording.labels, CLASSES, recording=recording)
    return feature_table(evidence, [signal.name for signal in OF_RECORDING])


def test_a_hundred_classes_are_kept_whole_and_one_more_is_not():
    for classes, kind in ((100, Recording), (101, TopRecording)):
        recorder = Recorder()
        recorder.record(np.arange(3), torch.randn(3, classes), np.arange(3))
        assert type(recorder.finish()) is kind


@pytest.mark.parametrize(
    "name", ["loss", "confidence", "margin", "entropy", "error_norm", "predicted", "correct", "labels", "epochs"]
)
def test_what_derives_from_all_logits_is_what_it_is_with_all_logits(both, name):
    dense, top = (getattr(recording, name) for recording in both)
    np.testing.assert_allclose(
        np.float64(top), np.float64(dense), rtol=4e-3, atol=1e-6
    )  # exp(-loss), loss a half float


def test_the_largest_logits_and_that_of_the_label_come_back(both):
    dense, top = both
    expected = np.sort(dense.logits.astype(np.float32), axis=2)[:, :, :-6:-1]
    np.testing.assert_allclose(top.top_log_probabilities + top.log_sum_exp[:, :, None], expected, atol=0.02)
    at = np.take_along_axis(dense.logits, top.top_classes, axis=2).astype(np.float32)
    np.testing.assert_array_equal(at, expected)
    of_label = dense.logits[:, np.arange(N), dense.labels].astype(np.float32)
    np.testing.assert_allclose(top.log_sum_exp - top.loss, of_label, atol=0.02)


@pytest.mark.parametrize("signal", [signal for signal in OF_RECORDING if not signal.all_logits], ids=lambda s: s.name)
def test_a_signal_that_is_not_marked_is_exact_to_half_precision(both, signal):
    dense, top = (features(recording)[signal.column] for recording in both)
    scale = max(1.0, np.abs(dense).max())
    changed = np.abs(top - dense) > 2e-3 * scale
    assert changed.mean() < (0.02 if signal.name == "loss_sign_changes" else 1e-9)  # counts turn where losses tie


def test_only_the_late_log_odds_are_marked_as_approximated():
    marked = [signal.name for signal in OF_RECORDING if signal.all_logits]
    assert marked == ["late_log_odds"]


def test_the_late_log_odds_are_close_and_name_the_same_class(both):
    dense, top = both
    exact, close = (features(recording)["dynamics.late_log_odds"] for recording in both)
    assert not np.array_equal(exact, close)
    believed = exact > -2  # where another class has any weight
    np.testing.assert_allclose(close[believed], exact[believed], atol=0.05)
    assert np.corrcoef(exact, close)[0, 1] > 0.99
    wrong = exact > 0
    assert wrong.sum() > 30 and (suggested_label(top)[wrong] == suggested_label(dense)[wrong]).all()
    assert not (suggested_label(top) == top.labels).any()


def test_a_class_that_is_not_kept_takes_its_even_share_of_what_is_left():
    """Probabilities 1/2 for the label, 1/4 and 1/24 x 3 kept, 1/8 over 145 others."""
    kept = np.log(np.array([[[1 / 2, 1 / 4, 1 / 24, 1 / 24, 1 / 24]]], np.float32))
    scalars = {name: np.zeros((1, 1), np.float32) for name in ("margin", "entropy", "error_norm", "log_sum_exp")}
    of_label = {"labels": np.array([7]), "sample_id": np.array([0]), "learning_rate": np.ones(1)}
    classes = np.array([[[7, 3, 4, 5, 6]]])
    loss = np.full((1, 1), np.log(2), np.float32)
    recording = TopRecording(
        loss, **scalars, top_log_probabilities=kept, top_classes=classes, num_classes=150, **of_label
    )
    evidence = Evidence(recording.sample_id, recording.labels, 150, recording=recording)
    assert SIGNALS["late_log_odds"](evidence) == pytest.approx(np.log(1 / 2), rel=1e-6)
    assert suggested_label(recording).tolist() == [3]


def test_probabilities_that_no_half_float_tells_from_zero_stay_finite():
    recorder = Recorder()
    logits = torch.zeros(2, 3000)
    logits[:, 5], logits[1, 6] = 60_000, 59_000
    recorder.record(np.arange(2), logits, np.array([5, 6]))
    recording = recorder.finish()
    table = features(recording)
    assert np.isfinite(table.to_numpy()).all()
    assert suggested_label(recording).tolist()[1] == 5 and suggested_label(recording)[0] != 5


def test_masked_classes_are_the_least_probable_ones():
    logits = torch.randn(10, 120)
    logits[:, 3:] = -torch.inf
    recorder = Recorder()
    recorder.record(np.arange(10), logits, np.arange(10) % 3)
    recording = recorder.finish()
    loss = torch.nn.functional.cross_entropy(logits[:, :3], torch.arange(10) % 3, reduction="none")
    np.testing.assert_allclose(recording.loss[0], loss, rtol=2e-3, atol=1e-3)
    assert np.isfinite(features(recording).to_numpy()).all()


def test_as_few_classes_as_logits_are_refused(tmp_path):
    recorder = Recorder()
    recorder.record(np.arange(20), torch.randn(20, 120), np.arange(20) % 5)
    path = write_epoch(tmp_path, 0, replace(recorder.finish(), top_classes=np.tile(np.arange(5), (1, 20, 1))))
    table = pq.ParquetFile(path).read()
    pq.write_table(table.replace_schema_metadata({"num_classes": "5"}), path)
    with pytest.raises(BadData, match="of 5 classes it holds the 5 largest logits; there must be more"):
        read_recording(tmp_path)


@pytest.mark.parametrize("name", ["logits", "probabilities", "log_probabilities"])
def test_what_needs_all_logits_says_that_they_were_not_kept(both, name):
    with pytest.raises(MissingEvidence, match="of 150 classes the recording holds the 5 largest logits, not all"):
        getattr(both[1], name)


def test_a_recording_of_many_classes_comes_back_from_disk_bit_for_bit(both, tmp_path):
    recorder = Recorder()
    logits = torch.randn(20, 40_000)
    recorder.record(np.arange(20), logits, np.arange(20) + 39_000, 0.1)
    recording = recorder.finish()
    write_epoch(tmp_path, 0, recording)
    again = read_recording(tmp_path)
    for name, value in vars(again).items():
        assert np.array_equal(value, getattr(recording, name)), name
    assert again.num_classes == 40_000


def test_epochs_with_and_without_all_logits_do_not_mix(tmp_path):
    for epoch, classes in enumerate((100, 101)):
        recorder = Recorder(tmp_path, first_epoch=epoch)
        recorder.record(np.arange(3), torch.randn(3, classes), np.arange(3))
        recorder.finish()
    with pytest.raises(BadData, match="number of classes is not the same"):
        read_recording(tmp_path)

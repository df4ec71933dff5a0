"""The recorder in somebody else's loop: batches of any samples, in any precision."""

import shutil

import numpy as np
import pytest
import torch

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.epoch_files import read_recording
from anomaly_mlflow.training.recorder import Recorder

IDS = torch.tensor([70, 3, 900, 12, 41, 5, 66])
LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0])


def logits_of(epoch):
    return torch.randn(len(IDS), 3, generator=torch.Generator().manual_seed(epoch))


def run(recorder, epochs=3, batch=3, drop=(), end=False):
    """Epochs in which all samples but the dropped ones pass, in another order each."""
    for epoch in range(epochs):
        order = torch.randperm(len(IDS), generator=torch.Generator().manual_seed(epoch))
        order = order[~torch.isin(order, torch.tensor([drop[epoch]]) if drop else torch.tensor([-1]))]
        for rows in order.split(batch):
            recorder.record(IDS[rows], logits_of(epoch)[rows], LABELS[rows])
        if end:
            recorder.end_epoch()


def check(recording, epochs=3):
    order = IDS.argsort()
    assert recording.sample_id.tolist() == IDS[order].tolist() and recording.labels.tolist() == LABELS[order].tolist()
    expected = torch.stack([logits_of(epoch)[order] for epoch in range(epochs)]).half()
    assert np.array_equal(recording.logits, expected.numpy())


@pytest.mark.parametrize("end", [False, True], ids=["a sample that passes again", "end_epoch"])
def test_a_recorder_that_knows_no_samples_tells_epochs_apart_by(end, tmp_path):
    recorder = Recorder(tmp_path / "recording")
    run(recorder, end=end)
    assert recorder.finish() is None
    check(read_recording(tmp_path / "recording"))


def test_without_a_target_the_recording_comes_back():
    recorder = Recorder()
    run(recorder)
    check(recorder.finish())


def test_a_function_takes_each_epoch_as_it_ends():
    seen = []
    recorder = Recorder(lambda epoch, recording: seen.append((epoch, recording.logits.shape)), first_epoch=4)
    run(recorder, epochs=2)
    assert seen == [(4, (1, 7, 3))]
    recorder.finish()
    assert seen == [(4, (1, 7, 3)), (5, (1, 7, 3))]


def test_known_samples_keep_their_order_and_must_all_pass_once():
    recorder = Recorder(sample_id=IDS.numpy())
    recorder.record(IDS.flip(0), logits_of(0).flip(0), LABELS.flip(0), 0.5)
    recorder.end_epoch()
    recording = recorder.finish()
    assert recording.sample_id.tolist() == IDS.tolist() and recording.learning_rate.tolist() == [0.5]
    assert np.array_equal(recording.logits[0], logits_of(0).half().numpy())
    recorder.record(IDS[:6], logits_of(1)[:6], LABELS[:6])
    with pytest.raises(BadData, match="not every sample passed exactly once in epoch 1"):
        recorder.end_epoch()
    twice = Recorder(sample_id=IDS.numpy())
    twice.record(IDS[[0, *range(7)]], logits_of(1)[[0, *range(7)]], LABELS[[0, *range(7)]])
    with pytest.raises(BadData, match="not every sample passed exactly once"):
        twice.end_epoch()


@pytest.mark.parametrize("epochs", [1, 2])
def test_known_samples_whose_epoch_nobody_ended_are_not_lost_without_a_word(epochs, tmp_path):
    recorder = Recorder(tmp_path, sample_id=IDS.numpy())
    run(recorder, epochs=epochs)
    if epochs == 1:
        recorder.finish()
        assert read_recording(tmp_path).epochs == 1
    else:
        with pytest.raises(BadData, match=r"not every sample passed exactly once in epoch 0; .* end_epoch\(\) ends"):
            recorder.finish()


def test_more_samples_than_there_was_room_for_keep_their_values():
    rng = np.random.default_rng(0)
    ids, logits = rng.permutation(10_000), rng.normal(size=(2, 10_000, 2)).astype(np.float16)
    recorder = Recorder()
    for epoch in logits:
        for rows in np.array_split(np.arange(10_000), 7):
            recorder.record(ids[rows], torch.from_numpy(epoch[rows]), np.zeros(len(rows), np.int32))
    recording = recorder.finish()
    assert np.array_equal(recording.logits, logits[:, np.argsort(ids)])


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_logits_of_any_precision_with_a_gradient_are_kept_and_the_gradient_flows_on(precision):
    weight = torch.ones(3, requires_grad=True)
    logits = (logits_of(0) * weight).to(precision)
    recorder = Recorder()
    recorder.record(IDS, logits, LABELS)
    logits.sum().backward()
    assert weight.grad is not None
    recording = recorder.finish()
    assert np.array_equal(recording.logits[0], logits.detach().half().numpy()[IDS.argsort()])


def test_batches_under_autocast_no_grad_and_inference_mode_mix():
    recorder = Recorder()
    modes = [torch.inference_mode(), torch.no_grad(), torch.autocast("cpu", torch.bfloat16), torch.enable_grad()]
    for epoch, mode in enumerate(modes):
        with mode:
            recorder.record(IDS, logits_of(epoch) * 1, LABELS)
    check(recorder.finish(), epochs=4)


def test_logits_beyond_half_precision_are_clipped_to_its_range():
    recorder = Recorder()
    recorder.record(IDS[:1], torch.tensor([[1e9, -torch.inf, 0]]), LABELS[:1])
    assert recorder.finish().logits.tolist() == [[[65504, -65504, 0]]]


def test_samples_that_miss_an_epoch_are_told_once_with_advice_and_left_out(tmp_path):
    recorder = Recorder(tmp_path)
    with pytest.warns(
        UserWarning, match=r"1 samples of the first epoch did not pass in epoch 1, 1 .*drop_last=False"
    ) as told:
        run(recorder, epochs=4, drop=(0, 2, 4, 0), end=True)
        recorder.finish()
    assert len(told) == 1
    with pytest.warns(UserWarning, match="3 of 7 samples did not pass in every epoch and are left out"):
        recording = read_recording(tmp_path)
    kept = np.sort(IDS.numpy()[[1, 3, 5, 6]])
    assert recording.sample_id.tolist() == kept.tolist()
    rows = [IDS.tolist().index(one) for one in kept]
    assert np.array_equal(recording.logits[2], logits_of(2).half().numpy()[rows])


def test_an_epoch_that_was_left_early_is_not_kept():
    recorder = Recorder()
    run(recorder, epochs=3)
    recorder.record(IDS[:1], logits_of(3)[:1], LABELS[:1])
    with pytest.warns(UserWarning, match="epoch 3 was left early, after 1 of 7 samples, and is not kept"):
        check(recorder.finish())


@pytest.mark.parametrize("known", [False, True])
def test_an_epoch_that_was_stopped_after_most_of_its_batches_costs_no_sample(known, tmp_path):
    recorder = Recorder(tmp_path, sample_id=np.sort(IDS.numpy()) if known else None)
    run(recorder, epochs=3, batch=2, end=True)
    recorder.record(IDS[:2], logits_of(3)[:2], LABELS[:2])
    recorder.record(IDS[2:4], logits_of(3)[2:4], LABELS[2:4])
    with pytest.warns(UserWarning, match="epoch 3 was left early, after 4 of 7 samples, and is not kept"):
        recorder.finish()
    check(read_recording(tmp_path))


def test_a_last_epoch_that_lacks_less_than_a_batch_is_kept(tmp_path):
    recorder = Recorder(tmp_path)
    run(recorder, epochs=2)
    with pytest.warns(UserWarning, match="1 samples of the first epoch did not pass in epoch 2"):
        recorder.record(IDS[:3], logits_of(2)[:3], LABELS[:3])
        recorder.record(IDS[3:6], logits_of(2)[3:6], LABELS[3:6])
        recorder.finish()
    with pytest.warns(UserWarning, match="1 of 7 samples did not pass in every epoch"):
        assert read_recording(tmp_path).epochs == 3


def test_a_partial_last_epoch_is_named_with_what_brings_the_samples_back(tmp_path):
    recorder = Recorder(tmp_path)
    run(recorder, epochs=3, end=True)
    with pytest.warns(UserWarning, match="5 samples of the first epoch did not pass in epoch 3"):
        recorder.record(IDS[:2], logits_of(3)[:2], LABELS[:2])
        recorder.end_epoch()
    recorder.finish()
    with pytest.warns(UserWarning, match=r"5 of 7 .* the fewest, 2, passed in epoch 3, the last: remove its folder"):
        read_recording(tmp_path)
    shutil.rmtree(tmp_path / "epoch=0003")
    check(read_recording(tmp_path))


def test_a_label_that_changes_is_refused():
    recorder = Recorder()
    run(recorder, epochs=1, end=True)
    recorder.record(IDS, logits_of(1), LABELS.roll(1))
    with pytest.raises(BadData, match=r"sample 3 bears label 0 in epoch 1, 1 in the first one"):
        recorder.end_epoch()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda ids, logits, labels: (ids, logits * torch.nan, labels), r"the logits of 7 samples are NaN in epoch 0"),
        (lambda ids, logits, labels: (ids, logits, labels + 1), "labels reach from 1 to 3, but there are logits of 3"),
        (lambda ids, logits, labels: (ids, logits, labels - 1), "labels reach from -1 to 1"),
        (
            lambda ids, logits, labels: (ids[[0, 0, *range(5)]], logits, labels),
            "straddles two epochs",
        ),
        (lambda ids, logits, labels: (ids[:6], logits, labels), r"have \(6,\), \(7, 3\), \(7,\)"),
        (lambda ids, logits, labels: (ids, logits, torch.eye(3)[labels]), r"have \(7,\), \(7, 3\), \(7, 3\)"),
        (lambda ids, logits, labels: (ids, logits[:, 0], labels), r"have \(7,\), \(7,\), \(7,\)"),
        (lambda ids, logits, labels: (ids[0], logits[0, 0], labels[0]), r"have \(\), \(\), \(\)"),
        (lambda ids, logits, labels: (ids, logits[:, :1], labels * 0), "two or more are needed"),
        (lambda ids, logits, labels: (ids / 2, logits, labels), "must be whole numbers"),
        (lambda ids, logits, labels: (ids, logits.long(), labels), "logits must be real ones"),
    ],
)
@pytest.mark.parametrize("classes", [3, 103], ids=["all logits", "the largest"])
def test_what_makes_no_sense_is_refused_in_one_line(spoil, words, classes):
    recorder = Recorder()
    ids, logits, labels = spoil(IDS, logits_of(0), LABELS)
    if classes == 103 and logits.dim() == 2 and logits.shape[1] == 3:
        logits = torch.cat([logits, torch.full((7, 100), -9, dtype=logits.dtype)], dim=1)
        labels = labels + 100 * (labels > 2) if labels.dim() == 1 else labels
        words = words.replace("to 3, but there are logits of 3", "to 103").replace("7, 3", "7, 103", 1)
    with pytest.raises(BadData, match=words) as caught:
        recorder.record(ids, logits, labels)
        recorder.finish()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "ids",
    [
        ["a", "b"],
        np.array(["a", "b"]),
        np.array([1, 2], dtype=object),
        None,
        [2**63 + 5, 2**64 - 1],
        np.array([2**63 + 5, 2**64 - 1], np.uint64),
        np.array([1j, 2]),
    ],
    ids=["words", "array of words", "objects", "None", "large numbers", "large uint64", "complex"],
)
def test_ids_that_are_no_whole_numbers_of_int64_are_refused_in_one_line(ids):
    with pytest.raises(BadData, match=r"number the samples|must be whole numbers") as caught:
        Recorder().record(ids, logits_of(0)[:2], LABELS[:2])
    assert "\n" not in str(caught.value)


def test_small_unsigned_ids_are_taken():
    recorder = Recorder()
    recorder.record(np.array([5, 3], np.uint64), logits_of(0)[:2], LABELS[:2])
    assert recorder.finish().sample_id.tolist() == [3, 5]


def test_batches_of_different_classes_are_refused():
    recorder = Recorder()
    recorder.record(IDS[:3], logits_of(0)[:3], LABELS[:3])
    with pytest.raises(BadData, match="logits of 2 classes"):
        recorder.record(IDS[3:], logits_of(0)[3:, :2], LABELS[3:])


def test_a_folder_that_holds_a_recording_is_not_written_into(tmp_path):
    recorder = Recorder(str(tmp_path))
    run(recorder)
    recorder.finish()
    with pytest.raises(BadData, match="holds epoch=0002 of a recording already"):
        Recorder(tmp_path)
    again = Recorder(tmp_path, first_epoch=3)
    again.record(IDS, logits_of(3), LABELS)
    again.finish()
    check(read_recording(tmp_path), epochs=4)


def test_two_recorders_do_not_overwrite_each_other(tmp_path):
    """As the ranks of somebody's own loop would, that have all begun before one of them writes."""
    first, second = Recorder(tmp_path), Recorder(tmp_path)
    run(first, epochs=1, end=True)
    with pytest.raises(BadData, match=r"holds epoch 0 of another recorder already; .* in each rank too, or gather="):
        run(second, epochs=1, end=True)
    first.finish()
    check(read_recording(tmp_path), epochs=1)


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_target_that_can_be_no_folder_is_noticed_before_the_training(name, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadData, match=f"{name} cannot be made a folder"):
        Recorder(tmp_path / name)


class Files:
    """As a run takes files."""

    def __init__(self, folder):
        self.folder, self.closed = folder, 0

    def upload(self, file):
        assert not self.closed and file.is_file()

    def close(self):
        self.closed += 1


def test_a_recorder_whose_run_is_closed_takes_nothing_more(tmp_path):
    files = Files(tmp_path)
    recorder = Recorder(files)
    run(recorder, epochs=2)
    recorder.finish()
    recorder.finish()
    assert files.closed == 1
    with pytest.raises(BadData, match="the recorder is finished"):
        run(recorder, epochs=1)


def test_a_recorder_of_a_folder_may_be_finished_after_each_epoch(tmp_path):
    recorder = Recorder(tmp_path)
    for epoch in range(3):
        recorder.record(IDS, logits_of(epoch), LABELS)
        recorder.finish()
    check(read_recording(tmp_path))

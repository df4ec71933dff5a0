import numpy as np
import pandas as pd
import pytest

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.epoch_files import drop_epochs, epoch_path, read_recording, write_epoch
from anomaly_mlflow.training.recording import Recording


@pytest.fixture
def recording():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 20, 4)).astype(np.float16)
    return Recording(logits, rng.integers(0, 4, 20), np.arange(100, 120), np.array([0.1, 0.2, 0.05]))


def write(recording, folder):
    for epoch in range(len(recording.logits)):
        part = Recording(
            recording.logits[epoch : epoch + 1],
            recording.labels,
            recording.sample_id,
            recording.learning_rate[epoch : epoch + 1],
        )
        write_epoch(folder, epoch, part)


def test_what_is_written_comes_back_bit_for_bit(recording, tmp_path):
    write(recording, tmp_path)
    again = read_recording(tmp_path)
    for name in ("logits", "labels", "sample_id", "learning_rate"):
        assert np.array_equal(getattr(recording, name), getattr(again, name)), name


def test_an_epoch_is_readable_by_pandas_with_the_columns_that_the_design_names(recording, tmp_path):
    write(recording, tmp_path)
    frame = pd.read_parquet(epoch_path(tmp_path, 1), partitioning=None)
    expected = ["sample_id", "given_label", "loss", "confidence", "margin", "entropy", "predicted", "correct", "logits"]
    assert list(frame.columns) == expected
    assert frame["loss"].dtype == np.float16
    np.testing.assert_allclose(frame["loss"], recording.loss[1], rtol=1e-3)


def test_a_missing_epoch_is_noticed(recording, tmp_path):
    write(recording, tmp_path)
    epoch_path(tmp_path, 1).unlink()
    with pytest.raises(BadData, match="without a gap"):
        read_recording(tmp_path)


def test_a_truncated_epoch_ends_in_one_line(recording, tmp_path):
    write(recording, tmp_path)
    epoch_path(tmp_path, 2).write_bytes(b"PAR1 not really")
    with pytest.raises(BadData, match="cannot be read"):
        read_recording(tmp_path)


def test_no_half_written_file_bears_the_name_of_an_epoch(recording, tmp_path):
    write(recording, tmp_path)
    assert sorted(path for path in tmp_path.rglob("*.*")) == [epoch_path(tmp_path, epoch) for epoch in range(3)]


def test_epochs_that_were_recorded_after_the_last_checkpoint_are_dropped(recording, tmp_path):
    write(recording, tmp_path)
    drop_epochs(tmp_path, 2)
    assert np.array_equal(read_recording(tmp_path).logits, recording.logits[:2])

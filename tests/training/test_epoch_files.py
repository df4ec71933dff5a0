from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.epoch_files import drop_epochs, epoch_path, read_recording, write_epoch
from anomaly_mlflow.training.recording import Recording

COLUMNS = ["sample_id", "given_label", "loss", "confidence", "margin", "entropy", "predicted", "correct", "logits"]


@pytest.fixture
def recording():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 20, 4)).astype(np.float16)
    return Recording(logits, rng.integers(0, 4, 20), np.arange(100, 120), np.array([0.1, 0.2, 0.05]))


def write(recording, folder):
    for epoch in range(len(recording.logits)):
        part = slice(epoch, epoch + 1)
        one = replace(recording, logits=recording.logits[part], learning_rate=recording.learning_rate[part])
        write_epoch(folder, epoch, one)


def test_what_is_written_comes_back_bit_for_bit(recording, tmp_path):
    write(recording, tmp_path)
    again = read_recording(tmp_path)
    for name in ("logits", "labels", "sample_id", "learning_rate"):
        assert np.array_equal(getattr(recording, name), getattr(again, name)), name


def test_an_epoch_is_readable_by_pandas_with_the_columns_that_the_design_names(recording, tmp_path):
    write(recording, tmp_path)
    frame = pd.read_parquet(epoch_path(tmp_path, 1), partitioning=None)
    assert list(frame.columns) == COLUMNS
    assert frame["loss"].dtype == np.float16 and frame["predicted"].dtype == np.int16
    np.testing.assert_allclose(frame["loss"], recording.loss[1], rtol=1e-3)


def check_data_set(frame, recording):
    """Columns and values of all epochs, in whatever order the rows come."""
    assert sorted(frame.columns) == sorted([*COLUMNS, "epoch"])
    frame = frame.assign(epoch=frame["epoch"].astype(int)).sort_values(["epoch", "sample_id"])
    assert frame["epoch"].tolist() == np.repeat(np.arange(3), 20).tolist()
    assert frame["sample_id"].tolist() == recording.sample_id.tolist() * 3
    np.testing.assert_allclose(frame["margin"].astype(float), recording.margin.ravel(), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(np.stack(frame["logits"]).reshape(3, 20, 4), recording.logits)


def test_pandas_reads_the_folder_as_one_data_set(recording, tmp_path):
    write(recording, tmp_path)
    check_data_set(pd.read_parquet(tmp_path), recording)


def test_pyarrow_reads_the_folder_as_one_data_set(recording, tmp_path):
    write(recording, tmp_path)
    check_data_set(pa.dataset.dataset(tmp_path, partitioning="hive").to_table().to_pandas(), recording)


def test_duckdb_reads_the_folder_as_one_data_set(recording, tmp_path):
    write(recording, tmp_path)
    check_data_set(duckdb.sql(f"from '{tmp_path}/*/*.parquet'").df(), recording)
    area = duckdb.sql(
        f"select avg(margin) from '{tmp_path}/*/*.parquet' group by sample_id order by sample_id"
    ).fetchall()
    np.testing.assert_allclose(np.ravel(area), recording.margin.mean(axis=0), rtol=2e-3, atol=1e-3)


def test_no_column_of_a_file_has_a_dictionary(recording, tmp_path):
    write(recording, tmp_path)
    group = pq.ParquetFile(epoch_path(tmp_path, 0)).metadata.row_group(0)
    assert not any("DICTIONARY" in str(group.column(number).encodings) for number in range(group.num_columns))


def test_twenty_epochs_of_cifar_10_take_at_most_32_megabytes(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 50_000)
    logits = (2 * rng.normal(size=(1, 50_000, 10)) + 4 * np.eye(10)[labels]).astype(np.float16)
    path = write_epoch(tmp_path, 0, Recording(logits, labels, rng.permutation(50_000), np.ones(1)))
    assert 20 * path.stat().st_size < 32e6


def test_a_missing_epoch_is_noticed(recording, tmp_path):
    write(recording, tmp_path)
    epoch_path(tmp_path, 1).unlink()
    with pytest.raises(BadData, match="without a gap"):
        read_recording(tmp_path)


def test_a_truncated_epoch_ends_in_one_line(recording, tmp_path):
    write(recording, tmp_path)
    epoch_path(tmp_path, 2).write_bytes(b"PAR1 not really")
    with pytest.raises(BadData, match="epoch=0002 cannot be read"):
        read_recording(tmp_path)


def test_no_half_written_file_bears_the_name_of_an_epoch(recording, tmp_path):
    write(recording, tmp_path)
    assert sorted(path for path in tmp_path.rglob("*.*")) == [epoch_path(tmp_path, epoch) for epoch in range(3)]


def test_epochs_that_were_recorded_after_the_last_checkpoint_are_dropped(recording, tmp_path):
    write(recording, tmp_path)
    drop_epochs(tmp_path, 2)
    assert np.array_equal(read_recording(tmp_path).logits, recording.logits[:2])


def test_samples_in_another_order_are_put_in_that_of_the_first_epoch(recording, tmp_path):
    write(recording, tmp_path)
    order = np.random.default_rng(1).permutation(20)
    shuffled = replace(
        recording,
        logits=recording.logits[1:2, order],
        labels=recording.labels[order],
        sample_id=recording.sample_id[order],
        learning_rate=recording.learning_rate[1:2],
    )
    write_epoch(tmp_path, 1, shuffled)
    assert np.array_equal(read_recording(tmp_path).logits, recording.logits)


def spoil(name, values):
    """A change of one column of an epoch's table."""
    return lambda table: table.set_column(table.column_names.index(name), name, values(table[name]))


def listed(values, kind, size=4):
    return pa.FixedSizeListArray.from_arrays(pa.array(values, kind), size)


STRANGE = {
    "a label that changes": (spoil("given_label", lambda c: pa.array([3] * 20, pa.int16())), "bears label"),
    "a label that is no class": (spoil("given_label", lambda c: pa.array([4] * 20)), "outside 0 to 3"),
    "a negative label": (spoil("given_label", lambda c: pa.array([-1] * 20)), "outside 0 to 3"),
    "labels as text": (spoil("given_label", lambda c: pa.array(["a"] * 20)), "given_label is of type string"),
    "labels with gaps": (spoil("given_label", lambda c: pa.array([None] * 20, pa.int16())), "given_label has empty"),
    "ids as numbers with a point": (spoil("sample_id", lambda c: c.cast(pa.float64())), "sample_id is of type double"),
    "an id twice": (spoil("sample_id", lambda c: pa.array([100] * 20)), "a sample_id stands there twice"),
    "other samples": (spoil("sample_id", lambda c: pa.array(range(20))), "no sample passed in every epoch"),
    "NaN": (spoil("logits", lambda c: listed(np.full(80, np.nan), pa.float16())), "logits holds NaN or infinite"),
    "infinity": (spoil("logits", lambda c: listed(np.full(80, np.inf), pa.float16())), "logits holds NaN or infinite"),
    "doubles": (spoil("logits", lambda c: listed(np.zeros(80), pa.float64())), "column logits is of type"),
    "lists of any length": (spoil("logits", lambda c: c.cast(pa.list_(pa.float16()))), "column logits is of type"),
    "more classes": (spoil("logits", lambda c: listed(np.zeros(200), pa.float16(), 10)), "number of classes"),
    "one class": (spoil("logits", lambda c: listed(np.zeros(20), pa.float16(), 1)), "column logits is of type"),
    "lists with gaps": (spoil("logits", lambda c: listed([None] * 80, pa.float16())), "logits has empty"),
    "no logits": (lambda table: table.drop_columns("logits"), "there is no column logits"),
    "no rows": (lambda table: table.slice(0, 0), "there is no row"),
    "a rate that is no number": (lambda table: table.replace_schema_metadata({"learning_rate": "x"}), "cannot be read"),
    "no number of classes": (
        lambda table: table.append_column("top_classes", listed(np.zeros(100), pa.int16(), 5)),
        "there is no column error_norm",
    ),
}


@pytest.mark.parametrize(("change", "words"), STRANGE.values(), ids=STRANGE)
def test_a_strange_epoch_is_refused_in_one_line(change, words, recording, tmp_path):
    write(recording, tmp_path)
    path = epoch_path(tmp_path, 1)
    pq.write_table(change(pq.ParquetFile(path).read()), path, use_dictionary=False)
    with pytest.raises(BadData, match=words) as caught:
        read_recording(tmp_path)
    assert "\n" not in str(caught.value)


def with_memory(available, monkeypatch):
    memory = type("Memory", (), {"available": available})
    monkeypatch.setattr("anomaly_mlflow.training.epoch_tables.psutil.virtual_memory", lambda: memory)


def test_more_epochs_than_memory_holds_are_refused_before_the_first_is_read(recording, tmp_path, monkeypatch):
    write(recording, tmp_path)
    with_memory(10_000, monkeypatch)
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *words: pytest.fail("an epoch was read"))
    with pytest.raises(BadData, match="60 rows of 4 values do not fit into memory"):
        read_recording(tmp_path)


def test_few_rows_of_very_many_classes_count_as_the_many_rows_to_which_they_are_filled_up(tmp_path, monkeypatch):
    write_epoch(tmp_path, 0, Recording(np.zeros((1, 2, 1000), np.float16), np.zeros(2, int), np.arange(2), np.ones(1)))
    with_memory(500_000, monkeypatch)
    with pytest.raises(BadData, match="2 rows of 1000 values do not fit into memory"):
        read_recording(tmp_path)


def test_a_folder_that_bears_no_number_does_not_stop_a_resumed_recording(tmp_path):
    for name in ("epoch=0000", "epoch=0001", "epoch=stray"):
        (tmp_path / name).mkdir()
    drop_epochs(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch=0000"]

"""A recording on disk: one Parquet file an epoch, complete in itself; together one partitioned data set."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.epoch_tables import check_memory, from_table, shape, to_table
from anomaly_mlflow.training.joined import joined
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TopRecording
from anomaly_mlflow.training.whole_files import put_in_place

__all__ = ["drop_epochs", "epoch_path", "read_recording", "recording_files", "write_epoch"]

Read = TypeVar("Read")
UNREADABLE = (pa.ArrowException, OSError, LookupError, ValueError, TypeError, AttributeError, OverflowError)


def epoch_path(folder: Path, epoch: int) -> Path:
    """`folder/epoch=0007/part-0.parquet`, as partitioned data sets are laid out."""
    return folder / f"epoch={epoch:04d}" / "part-0.parquet"


def write_epoch(folder: Path, epoch: int, recording: Recording | TopRecording) -> Path:
    """Write a recording of one epoch: ids, labels, derived columns and logits, float16, no dictionary; its path.

    Written aside and renamed, so that a file of this name is always whole.
    """
    path = epoch_path(folder, epoch)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    # Ids in order take no space as differences. BYTE_STREAM_SPLIT of the half floats would save 5 % more: DuckDB cannot
    # read it.
    encoding = {"sample_id": "DELTA_BINARY_PACKED"}
    pq.write_table(to_table(recording), part, use_dictionary=False, compression="zstd", column_encoding=encoding)
    put_in_place(part, path)
    return path


def drop_epochs(folder: Path, first: int) -> None:
    """Remove the epochs from `first` on, whose training state was not saved, and what bears no number."""
    for path in folder.glob("epoch=*"):
        number = path.name.partition("=")[2]
        if not number.isdecimal() or int(number) >= first:
            shutil.rmtree(path)


def recording_files(folder: Path) -> list[Path]:
    """The files that `read_recording` reads, epoch by epoch. Raises BadData where one is missing or no regular file."""
    count = len(list(folder.glob("epoch=*")))
    paths = [epoch_path(folder, epoch) for epoch in range(count)]
    if not paths or not all(path.is_file() for path in paths):
        raise BadData(f"{folder} does not hold epochs 0 to {max(count - 1, 0)} without a gap; train again")
    return paths


def read_recording(folder: Path) -> Recording | TopRecording:
    """All epochs of a folder in order, of the samples that are in every epoch; warns where that leaves some out.

    Raises BadData where files are missing, damaged, of another form, or do not fit together.
    """
    paths = recording_files(folder)
    try:
        check_memory([_read(path, shape) for path in paths])
        return joined([_read(path, from_table) for path in paths])
    except BadData as error:
        raise BadData(f"the recording in {folder} cannot be used: {error}; train again") from None


def _read(path: Path, read: Callable[[pq.ParquetFile], Read]) -> Read:
    try:
        with pq.ParquetFile(path) as file:
            return read(file)
    except BadData as error:
        raise BadData(f"{path.parent.name}: {error}") from None
    except UNREADABLE as error:
        raise BadData(
            f"{path.parent.name} cannot be read ({str(error).splitlines()[0] if str(error) else error!r})"
        ) from None

"""A recording on disk: one Parquet file an epoch, complete in itself."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recording import Recording

__all__ = ["drop_epochs", "epoch_path", "read_recording", "write_epoch"]


def epoch_path(folder: Path, epoch: int) -> Path:
    """`folder/epoch=0007/part-0.parquet`, as partitioned data sets are laid out."""
    return folder / f"epoch={epoch:04d}" / "part-0.parquet"


def write_epoch(folder: Path, epoch: int, recording: Recording) -> Path:
    """Write a recording of one epoch: ids, labels, derived columns and logits, float16, no dictionary; its path.

    Written aside and renamed, so that a file of this name is always whole.
    """
    columns = {"sample_id": recording.sample_id, "given_label": recording.labels}
    for name in ("loss", "confidence", "margin", "entropy"):
        columns[name] = getattr(recording, name)[0].clip(-65504, 65504).astype(np.float16)
    columns |= {"predicted": recording.predicted[0], "correct": recording.correct[0]}
    columns["logits"] = pa.FixedSizeListArray.from_arrays(recording.logits[0].ravel(), recording.logits.shape[2])
    table = pa.table(columns, metadata={"learning_rate": repr(float(recording.learning_rate[0]))})
    path = epoch_path(folder, epoch)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    pq.write_table(table, part, use_dictionary=False, compression="zstd")
    part.replace(path)
    return path


def drop_epochs(folder: Path, first: int) -> None:
    """Remove the epochs from `first` on: they were recorded, but the training state after them was not saved."""
    for path in folder.glob("epoch=*"):
        if int(path.name.partition("=")[2]) >= first:
            shutil.rmtree(path)


def read_recording(folder: Path) -> Recording:
    """All epochs of a folder in order. Raises BadData where files are missing or do not fit together."""
    count = len(list(folder.glob("epoch=*")))
    paths = [epoch_path(folder, epoch) for epoch in range(count)]
    if not paths or not all(path.is_file() for path in paths):
        raise BadData(f"{folder} does not hold epochs 0 to {max(count - 1, 0)} without a gap; train again")
    try:
        # Not read_table(path): pyarrow would add the `epoch=` of the folder's name as a column.
        tables = [pq.ParquetFile(path).read() for path in paths]
        return _assemble(tables)
    except (pa.ArrowException, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadData(f"the recording in {folder} cannot be read ({error}); train again") from None


def _assemble(tables: list[pa.Table]) -> Recording:
    first = tables[0]
    n = first.num_rows
    logits = np.stack([table["logits"].combine_chunks().flatten().to_numpy().reshape(n, -1) for table in tables])
    rates = np.array([float(table.schema.metadata[b"learning_rate"]) for table in tables])
    return Recording(logits, first["given_label"].to_numpy(), first["sample_id"].to_numpy(), rates)

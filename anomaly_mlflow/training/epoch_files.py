"""A recording on disk: one Parquet file an epoch, complete in itself."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.recording import Recording

__all__ = ["epoch_file_name", "read_recording", "write_epoch"]


def epoch_file_name(epoch: int) -> str:
    """`epoch=0007.parquet`, as partitioned data sets are named."""
    return f"epoch={epoch:04d}.parquet"


def write_epoch(path: Path, recording: Recording) -> None:
    """Write a recording of one epoch: ids, labels, derived columns and logits, float16, no dictionary.

    Written aside and renamed, so that a file of this name is always whole.
    """
    columns = {"sample_id": recording.sample_id, "given_label": recording.labels}
    for name in ("loss", "confidence", "margin", "entropy"):
        columns[name] = getattr(recording, name)[0].clip(-65504, 65504).astype(np.float16)
    columns |= {"predicted": recording.predicted[0], "correct": recording.correct[0]}
    columns["logits"] = pa.FixedSizeListArray.from_arrays(recording.logits[0].ravel(), recording.logits.shape[2])
    table = pa.table(columns, metadata={"learning_rate": repr(float(recording.learning_rate[0]))})
    part = path.with_suffix(".part")
    pq.write_table(table, part, use_dictionary=False, compression="zstd")
    part.replace(path)


def read_recording(folder: Path) -> Recording:
    """All epochs of a folder in order. Raises BadData where files are missing or do not fit together."""
    paths = sorted(folder.glob("epoch=*.parquet"))
    if not paths or [path.name for path in paths] != [epoch_file_name(epoch) for epoch in range(len(paths))]:
        raise BadData(f"{folder} does not hold epochs 0 to {max(len(paths) - 1, 0)} without a gap; train again")
    try:
        # Not read_table(path): pyarrow would take the `epoch=` of the name for a partition.
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

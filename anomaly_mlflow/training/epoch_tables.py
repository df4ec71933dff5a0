"""One epoch of a recording as a table, and back from a table that anybody may have written."""

from collections.abc import Iterable

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.training.logit_statistics import COLUMNS
from anomaly_mlflow.training.recording import Recording
from anomaly_mlflow.training.top_recording import TOP, TopRecording

__all__ = ["check_memory", "from_table", "shape", "to_table"]

SCALARS = ("loss", "confidence", "margin", "entropy")
MORE_SCALARS = ("error_norm", "log_sum_exp")
TOP_COLUMNS = (*SCALARS[:1], *SCALARS[2:], *MORE_SCALARS, "top_log_probabilities", "top_classes")
MOST = 65504
"""The largest float16."""


def to_table(recording: Recording | TopRecording) -> pa.Table:
    """A recording of one epoch as columns: half floats, classes as small integers."""
    top = isinstance(recording, TopRecording)
    classes = np.int16 if recording.num_classes <= np.iinfo(np.int16).max else np.int32
    columns = {"sample_id": recording.sample_id, "given_label": recording.labels.astype(classes)}
    for name in (*SCALARS, *MORE_SCALARS) if top else SCALARS:
        columns[name] = _half(getattr(recording, name)[0])
    columns |= {"predicted": recording.predicted[0].astype(classes), "correct": recording.correct[0]}
    if top:
        columns["top_classes"] = _lists(recording.top_classes[0].astype(classes))
        columns["top_log_probabilities"] = _lists(_half(recording.top_log_probabilities[0]))
    else:
        columns["logits"] = _lists(recording.logits[0])
    rate = repr(float(recording.learning_rate[0]))
    return pa.table(columns, metadata={"learning_rate": rate, "num_classes": str(recording.num_classes)})


def shape(file: pq.ParquetFile) -> tuple[int, int]:
    """Rows of an epoch and values of a row, from the file's own description. Raises as `from_table`."""
    known = file.schema_arrow
    top = "top_classes" in known.names
    for name in ("sample_id", "given_label", *(TOP_COLUMNS if top else ("logits",))):
        _check_type(name, known.field(name).type if name in known.names else None)
    if file.metadata.num_rows == 0:
        raise BadData("there is no row")
    return file.metadata.num_rows, 2 * TOP if top else known.field("logits").type.list_size


def check_memory(shapes: Iterable[tuple[int, int]]) -> None:
    """Raises BadData where epochs of these shapes, and what derives from them, do not fit into memory."""
    shapes = list(shapes)
    # Three float32 of each value, in `logit_statistics` of COLUMNS rows or more.
    need = sum(max(rows, COLUMNS) * (3 * 4 * width + 40) for rows, width in shapes)
    if need > psutil.virtual_memory().available:
        rows, width = sum(rows for rows, _ in shapes), max(width for _, width in shapes)
        raise BadData(f"{rows} rows of {width} values do not fit into memory")


def from_table(file: pq.ParquetFile) -> Recording | TopRecording:
    """The epoch of a file. Raises BadData on other columns, types or values, pyarrow's errors on a damaged file."""
    shape(file)
    known = file.schema_arrow
    top = "top_classes" in known.names
    names = TOP_COLUMNS if top else ("logits",)
    table = file.read(["sample_id", "given_label", *names])
    arrays = {name: _array(name, table[name].combine_chunks()) for name in table.column_names}
    notes = known.metadata or {}
    rate = np.array([float(notes.get(b"learning_rate", "nan"))])
    labels, sample_id = (arrays.pop(name).astype(np.int64) for name in ("given_label", "sample_id"))
    epoch = {name: values[None] for name, values in arrays.items()}
    if not top:
        return _checked(Recording(**epoch, labels=labels, sample_id=sample_id, learning_rate=rate))
    num_classes = int(notes[b"num_classes"])
    if num_classes <= TOP:
        raise BadData(f"of {num_classes} classes it holds the {TOP} largest logits; there must be more")
    floats = {name: values.astype(np.float32) for name, values in epoch.items() if values.dtype == np.float16}
    recording = TopRecording(
        **epoch | floats, num_classes=num_classes, labels=labels, sample_id=sample_id, learning_rate=rate
    )
    if recording.top_classes.min() < 0 or recording.top_classes.max() >= num_classes:
        raise BadData(f"top_classes holds classes outside 0 to {num_classes - 1}")
    return _checked(recording)


def _check_type(name: str, kind: pa.DataType | None) -> None:
    if kind is None:
        raise BadData(f"there is no column {name}")
    if name in ("sample_id", "given_label"):
        fits = pa.types.is_integer(kind)
    elif name in SCALARS + MORE_SCALARS:
        fits = pa.types.is_float16(kind)
    else:
        values = pa.types.is_integer if name == "top_classes" else pa.types.is_float16
        fits = pa.types.is_fixed_size_list(kind) and values(kind.value_type)
        fits = fits and (kind.list_size > 1 if name == "logits" else kind.list_size == TOP)
    if not fits:
        raise BadData(f"column {name} is of type {kind}")


def _array(name: str, column: pa.Array) -> np.ndarray:
    values = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
    if column.null_count or values.null_count:
        raise BadData(f"column {name} has empty cells")
    array = values.to_numpy()
    if array.dtype == np.float16 and not np.isfinite(array).all():
        raise BadData(f"column {name} holds NaN or infinite values")
    return array.reshape(len(column), -1) if values is not column else array


def _checked(recording: Recording | TopRecording) -> Recording | TopRecording:
    labels, ids = recording.labels, recording.sample_id
    if labels.min() < 0 or labels.max() >= recording.num_classes:
        raise BadData(f"given_label holds classes outside 0 to {recording.num_classes - 1}")
    if len(np.unique(ids)) < len(ids):
        raise BadData("a sample_id stands there twice")
    return recording


def _half(values: np.ndarray) -> np.ndarray:
    return values.clip(-MOST, MOST).astype(np.float16)


def _lists(values: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])

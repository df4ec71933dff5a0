"""Labels that people gave, in a table beside the data set: `parquet:PATH#column[,column]` or `cifarn:PATH#column`."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from anomaly_mlflow.data.cifarn import read_cifarn
from anomaly_mlflow.data.listing import parse
from anomaly_mlflow.data.shards import readable
from anomaly_mlflow.errors import BadData, BadOption, UnknownName

__all__ = ["human_labels", "human_labels_digest"]

Table = tuple[np.ndarray, dict[str, pd.Series]]

NONE = -1
"""In place of a label where there is none."""


def human_labels(spec: str, sample_id: np.ndarray, classes: tuple[str, ...], *, gaps: bool = False) -> np.ndarray:
    """Labels, int64 (k, n): a row for each of the k columns asked for, a position for each sample id.

    sample_id: int64 (n,), joined to the table's `index` (or `sample_id`) column, in CIFAR-N files to the position;
    labels are numbers 0 .. len(classes) - 1 or class names. gaps: a sample that the table lacks, an empty cell and -1
    are no error but no label, -1.
    Raises BadOption for the spec, UnknownName for its kind or a column, BadData where the file cannot be used, repeats
    an index, lacks a sample or holds a label of no class.
    """
    read, path, columns = _parsed(spec)
    index, table = read(path, columns)
    if not len(index):
        raise BadData(f"{path} has no rows")
    values, counts = np.unique(index, return_counts=True)
    if len(values) != len(index):
        raise BadData(f"{path}: index {values[counts > 1][0]} stands in several rows; keep one row for each sample")
    rows = pd.Index(index).get_indexer(sample_id)
    return np.stack([_column(path, name, table[name], rows, sample_id, classes, gaps=gaps) for name in columns])


def human_labels_digest(spec: str) -> str:
    """sha256, hex, of the columns asked for and of the file. Raises BadOption, UnknownName, BadData."""
    _, path, columns = _parsed(spec)
    try:
        if not path.is_file():
            raise _missing(path)
        with path.open("rb") as file:
            total = hashlib.file_digest(file, "sha256")
    except OSError:
        raise _missing(path) from None
    total.update(repr(columns).encode())
    return total.hexdigest()


def _parsed(spec: str) -> tuple[Callable[[Path, list[str]], Table], Path, list[str]]:
    head, _, tail = spec.rpartition("#")
    columns = tail.split(",")
    where = parse(head)
    if not head or where.path is None or where.where or not all(columns):
        raise BadOption(f"label table '{spec}': write parquet:PATH#column or cifarn:PATH#column, columns with commas")
    if where.name not in READERS:
        raise UnknownName("kind of label table", where.name, READERS)
    return READERS[where.name], where.path, columns


def _missing(path: Path) -> BadData:
    return BadData(f"{path} does not exist or cannot be read; a label table names one file")


def _from_parquet(path: Path, columns: list[str]) -> Table:
    if not path.is_file():
        raise _missing(path)
    with readable(path), pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        key = next((name for name in ("index", "sample_id") if name in names), None)
        if key is None:
            raise BadData(f"{path} has no column 'index' or 'sample_id'; it has: {', '.join(names[:10])}")
        _check_columns(columns, [name for name in names if name != key])
        if names.count(key) > 1:
            raise BadData(f"{path} has several columns '{key}'; rename one")
        table = file.read(columns=[key, *columns])
        if not pa.types.is_integer(table[key].type) or table[key].null_count:
            raise BadData(f"{path}: column '{key}' must be whole numbers without gaps")
        return table[key].to_numpy().astype(np.int64), {name: table[name].to_pandas() for name in columns}


def _from_cifarn(path: Path, columns: list[str]) -> Table:
    arrays = read_cifarn(path)
    _check_columns(columns, arrays)
    table = {name: pd.Series(arrays[name]) for name in columns}
    if len({len(values) for values in table.values()}) > 1:
        raise BadData(f"{path}: the columns {', '.join(columns)} differ in length; name them one at a time")
    return np.arange(len(table[columns[0]])), table


def _check_columns(columns: list[str], known: list[str] | dict) -> None:
    for name in columns:
        if name not in known:
            raise UnknownName("label column", name, known)
        if list(known).count(name) > 1:
            raise BadData(f"the label table has several columns '{name}'; rename one")


def _column(
    path: Path,
    name: str,
    column: pd.Series,
    rows: np.ndarray,
    sample_id: np.ndarray,
    classes: tuple[str, ...],
    *,
    gaps: bool,
) -> np.ndarray:
    lacking = (rows < 0) | column.isna().to_numpy()[rows]
    if gaps:
        lacking |= (column == NONE).to_numpy()[rows]
    elif lacking.any():
        first = sample_id[lacking][0]
        raise BadData(f"{path}: {lacking.sum()} of {len(rows)} samples have no label in '{name}', the first id {first}")
    given = column.iloc[rows[~lacking]]
    labels = _numbers(given, classes)
    if labels is None:
        raise BadData(f"{path}: column '{name}' must hold whole numbers or class names, not {column.dtype}")
    bad = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(bad):
        known = f"{len(classes)} classes (0 to {len(classes) - 1}): {', '.join(classes[:10])}"
        first = sample_id[~lacking][bad[0]]
        raise BadData(f"{path}: label {given.iloc[bad[0]]} in '{name}' at index {first} is none of {known}")
    found = np.full(len(rows), NONE)
    found[~lacking] = labels
    return found


def _numbers(given: pd.Series, classes: tuple[str, ...]) -> np.ndarray | None:
    values = given.to_numpy()
    if values.dtype.kind == "f" and (np.abs(values) < 2**31).all() and (values % 1 == 0).all():
        values = values.astype(np.int64)  # a gap elsewhere in the column made it float
    if values.dtype.kind in "iu":
        return np.where(values < len(classes), values, -1).astype(np.int64)
    if all(isinstance(value, str) for value in values):
        return pd.Index(classes).get_indexer(values)
    return None


READERS: dict[str, Callable[[Path, list[str]], Table]] = {"cifarn": _from_cifarn, "parquet": _from_parquet}

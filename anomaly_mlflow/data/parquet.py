"""The source `parquet:PATH[?column=value]`: encoded images and integer labels in one Parquet file."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from anomaly_mlflow.data.listing import Listing, Spec, source
from anomaly_mlflow.data.names import class_names, set_name
from anomaly_mlflow.errors import BadData, UnknownName

__all__ = ["parquet"]


@source(path=True, where=True)
def parquet(spec: Spec) -> Listing:
    """Columns image (encoded bytes) and label (integer); optional index (unique whole numbers), group (source photo).

    Filters compare a column's value as text; without `index`, sample_id is the position in the whole file.
    Raises BadData where the file or a column cannot be used, UnknownName for a filter on a column that is not there.
    """
    path = spec.path
    if not path.is_file():
        raise BadData(f"{path} does not exist or is no file; parquet:PATH names one Parquet file")
    table = _table(path, spec)
    kept = _kept(path, table, spec)
    rows = np.flatnonzero(kept)
    labels = _integers(path, table, "label")
    ids = _ids(path, table)
    return Listing(
        name=set_name(path),
        classes=class_names(set_name(path), labels, kept, ids),
        labels=labels[rows],
        sample_id=ids[rows],
        groups=_groups(path, table)[rows] if "group" in table.column_names else ids[rows],
        read=lambda chosen: _cells(path, rows[chosen]),
        title=lambda row: f"index {ids[rows[row]]}",
        digest=lambda: _digest(path, spec),
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise BadData(f"{path} is no readable Parquet file: {(str(error).splitlines() or [''])[0][:120]}") from error


def _table(path: Path, spec: Spec) -> pa.Table:
    with _readable(path), pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        for name in ("image", "label"):
            if name not in schema.names:
                raise BadData(f"{path} has no column '{name}'; it has: {', '.join(schema.names[:10])}")
        twice = [name for name in schema.names[:1000] if schema.names.count(name) > 1]
        if twice:
            raise BadData(f"{path} has several columns '{twice[0]}'; rename one")
        for name, _ in spec.where:
            if name not in schema.names:
                raise UnknownName("column", name, schema.names)
        kind = schema.field("image").type
        if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
            raise BadData(f"{path}: column 'image' must hold encoded bytes (JPEG, PNG), not {kind}")
        wanted = {"label", "index", "group", *(name for name, _ in spec.where)} & set(schema.names)
        return file.read(columns=sorted(wanted))


def _kept(path: Path, table: pa.Table, spec: Spec) -> np.ndarray:
    kept = np.ones(len(table), dtype=bool)
    for name, value in spec.where:
        with _readable(path):
            text = pc.cast(table[name], pa.string())
        kept &= pc.fill_null(pc.equal(text, value), False).to_numpy()
        if not kept.any():
            values = ", ".join(str(found) for found in pc.unique(text).to_pylist()[:10])
            raise BadData(f"{path}: no row is left with {name}={value}; its values are: {values}")
    if not len(table):
        raise BadData(f"{path} has no rows")
    return kept


def _integers(path: Path, table: pa.Table, name: str) -> np.ndarray:
    column = table[name]
    if not pa.types.is_integer(column.type) or column.null_count:
        problem = f"{column.null_count} empty cells" if column.null_count else f"type {column.type}"
        raise BadData(f"{path}: column '{name}' must be whole numbers without gaps, and has {problem}")
    with _readable(path):
        return pc.cast(column, pa.int64()).to_numpy()


def _ids(path: Path, table: pa.Table) -> np.ndarray:
    if "index" not in table.column_names:
        return np.arange(len(table), dtype=np.int64)
    ids = _integers(path, table, "index")
    values, counts = np.unique(ids, return_counts=True)
    if len(values) != len(ids):
        raise BadData(f"{path}: column 'index' must be unique, and {values[counts > 1][0]} stands in several rows")
    return ids


def _groups(path: Path, table: pa.Table) -> np.ndarray:
    if pa.types.is_nested(table["group"].type):
        raise BadData(f"{path}: column 'group' must hold numbers or text, not {table['group'].type}")
    codes = pd.factorize(table["group"].to_pandas())[0].astype(np.int64)
    return np.where(codes < 0, len(codes) + np.arange(len(codes)), codes)


def _cells(path: Path, rows: np.ndarray) -> Iterator[bytes | None]:
    with _readable(path), pq.ParquetFile(path) as file:
        start = 0
        for number in range(file.num_row_groups):
            stop = start + file.metadata.row_group(number).num_rows
            inside = rows[np.searchsorted(rows, start) : np.searchsorted(rows, stop)] - start
            if len(inside):
                column = file.read_row_group(number, columns=["image"])["image"]
                yield from (cell.as_py() for cell in column.take(pa.array(inside)))
            start = stop


def _digest(path: Path, spec: Spec) -> str:
    with path.open("rb") as file:
        total = hashlib.file_digest(file, "sha256")
    total.update(repr(sorted(spec.where)).encode())
    return total.hexdigest()

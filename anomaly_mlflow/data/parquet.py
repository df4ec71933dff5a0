"""The source `parquet:PATH[#image=COLUMN,label=COLUMN][?column=value]`: encoded images and integer labels."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from anomaly_mlflow.data.listing import Listing, Spec, source
from anomaly_mlflow.data.names import check_labels, class_names, set_name
from anomaly_mlflow.data.shards import cells, declared_classes, find_shards, image_type, readable, same_columns
from anomaly_mlflow.errors import BadData, UnknownName

__all__ = ["parquet"]

ROLE = r"(?:image|label|index|group)=[^,=#]+"
UNLABELLED = ("label", "none")
NAMED = re.compile(rf"(.*)#({ROLE}(?:,{ROLE})*)")


@source(path=True, where=True)
def parquet(spec: Spec) -> Listing:
    """Columns image (encoded bytes) and label (integer); optional index (unique whole numbers), group (source photo).

    PATH: a file, or the shards of one set, in the order of their names: a folder, or a pattern (train-*.parquet).
    Images may be Hugging Face's struct {bytes, path}; its ClassLabel names become the classes. `#image=img,label=fine`
    names columns that are called otherwise, `#label=none` says that there are no labels (all are 0 then). Filters
    compare a column's value as text; without `index`, sample_id is the position in the whole set. Raises BadData where
    a file or a column cannot be used, UnknownName for a filter on a column that is not there.
    """
    path, columns = _columns(spec.path)
    files = find_shards(path)
    schemas = {file: _schema(file, columns, spec) for file in files}
    same_columns(schemas)
    tables = [_table(file, columns, spec) for file in files]
    with readable(path):
        table = pa.concat_tables(tables, promote_options="permissive")
    kept = _kept(path, table, spec)
    rows = np.flatnonzero(kept)
    labels, ids = _integers(path, table, columns["label"]), _ids(path, table, columns["index"])
    name = set_name(path if path.exists() else path.parent)
    classes = declared_classes(schemas[files[0]], columns["label"])
    if classes:
        check_labels(name, len(classes), labels, kept, ids)
    starts = np.cumsum([0, *(len(one) for one in tables)])
    return Listing(
        name=name,
        classes=classes or class_names(name, labels, kept, ids),
        labels=labels[rows],
        sample_id=ids[rows],
        groups=_groups(path, table, columns["group"])[rows] if columns["group"] in table.column_names else ids[rows],
        read=lambda chosen: _cells(files, starts, columns["image"], rows[chosen]),
        title=lambda row: f"index {ids[rows[row]]}",
        digest=lambda: _digest(files, columns, spec),
    )


def _columns(path: Path) -> tuple[Path, dict[str, str]]:
    named = NAMED.fullmatch(str(path))
    chosen = dict(part.split("=") for part in named[2].split(",")) if named else {}
    return Path(named[1]) if named else path, {role: role for role in ("image", "label", "index", "group")} | chosen


def _schema(path: Path, columns: dict[str, str], spec: Spec) -> pa.Schema:
    with readable(path):
        schema = pq.read_schema(path)
        names = schema.names
    for role, name in columns.items():
        if name not in names and (role in ("image", "label") or role != name) and (role, name) != UNLABELLED:
            advice = "" if role != name else f"; write #{role}=COLUMN where it is called otherwise"
            raise BadData(f"{path} has no column '{name}'; it has: {', '.join(names[:10])}{advice}")
    twice = [name for name in names[:1000] if names.count(name) > 1]
    if twice:
        raise BadData(f"{path} has several columns '{twice[0]}'; rename one")
    for name, _ in spec.where:
        if name not in names:
            raise UnknownName("column", name, names)
    image_type(path, columns["image"], schema.field(columns["image"]).type)
    return schema


def _table(path: Path, columns: dict[str, str], spec: Spec) -> pa.Table:
    with readable(path), pq.ParquetFile(path) as file:
        wanted = {columns[role] for role in ("label", "index", "group")} | {name for name, _ in spec.where}
        table = file.read(columns=sorted(wanted & set(file.schema_arrow.names))).replace_schema_metadata()
        name, rows = columns["label"], file.metadata.num_rows
        if ("label", name) == UNLABELLED and name not in table.column_names:
            labels = {name: pa.array(np.zeros(rows, np.int64))}
            return pa.table(labels | {other: table[other] for other in table.column_names})
        return table


def _kept(path: Path, table: pa.Table, spec: Spec) -> np.ndarray:
    kept = np.ones(len(table), dtype=bool)
    for name, value in spec.where:
        with readable(path):
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
    with readable(path):
        return pc.cast(column, pa.int64()).to_numpy()


def _ids(path: Path, table: pa.Table, name: str) -> np.ndarray:
    if name not in table.column_names:
        return np.arange(len(table), dtype=np.int64)
    ids = _integers(path, table, name)
    values, counts = np.unique(ids, return_counts=True)
    if len(values) != len(ids):
        raise BadData(f"{path}: column '{name}' must be unique, and {values[counts > 1][0]} stands in several rows")
    return ids


def _groups(path: Path, table: pa.Table, name: str) -> np.ndarray:
    if pa.types.is_nested(table[name].type):
        raise BadData(f"{path}: column '{name}' must hold numbers or text, not {table[name].type}")
    codes = pd.factorize(table[name].to_pandas())[0].astype(np.int64)
    return np.where(codes < 0, len(codes) + np.arange(len(codes)), codes)


def _cells(files: list[Path], starts: np.ndarray, column: str, rows: np.ndarray) -> Iterator[bytes | None]:
    for file, start, stop in zip(files, starts[:-1], starts[1:], strict=True):
        yield from cells(file, column, rows[np.searchsorted(rows, start) : np.searchsorted(rows, stop)] - start)


def _digest(files: list[Path], columns: dict[str, str], spec: Spec) -> str:
    total = hashlib.sha256(repr((sorted(columns.items()), sorted(spec.where))).encode())
    for path in files:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()

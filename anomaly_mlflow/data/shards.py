"""The files of a Parquet data set: which they are, that they fit together, and their image cells."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anomaly_mlflow.data.listing import MOST_BYTES
from anomaly_mlflow.data.names import ROLES, SHARD
from anomaly_mlflow.errors import BadData

__all__ = ["cells", "declared_classes", "find_shards", "image_type", "readable", "same_columns"]

# Rows held at once; a row group may be the whole file, and a small file may unpack to large cells.
BATCH = 16


def find_shards(path: Path) -> list[Path]:
    """One file, or the Parquet files of a folder or a pattern such as `train-*.parquet`, in the order of their names.

    Raises BadData where there are none, where a folder holds several splits, or where one of N shards is missing.
    """
    if path.is_file():
        return _complete([path])
    if path.is_dir():
        return _complete(_one_split(path, sorted(path.glob("*.parquet"))))
    if set(path.name) & set("*["):
        found = sorted(file for file in path.parent.glob(re.sub(r"\*+", "*", path.name)) if file.is_file())
        if found:
            return _complete(found)
        raise BadData(f"no file matches {path}; a pattern such as train-*.parquet names the shards of one split")
    raise BadData(f"{path} does not exist; parquet:PATH names a Parquet file, a folder of them or a pattern")


def _one_split(folder: Path, files: list[Path]) -> list[Path]:
    splits = sorted({SHARD.sub("", file.stem) for file in files} & ROLES)
    if len(splits) > 1:
        raise BadData(f"{folder} holds {' and '.join(splits)}; write parquet:{folder}/{splits[0]}*.parquet for one")
    if not files:
        raise BadData(f"{folder} holds no *.parquet file; parquet:PATH names a Parquet file, a folder or a pattern")
    return files


def _complete(files: list[Path]) -> list[Path]:
    numbered = [(file, re.fullmatch(r"(.*)-\d+-of-(\d+)", file.stem)) for file in files]
    found = Counter((match[1], match[2]) for _, match in numbered if match)
    for (stem, number), count in found.items():
        if count != int(number):
            every = f"parquet:{files[0].parent}/{stem}-*-of-{number}.parquet"
            raise BadData(
                f"{files[0]} is one of {int(number)} shards and {count} of them are here or named; name all "
                f"({every}), or rename the file to use it alone"
            )
    return files


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what pyarrow raises on a broken file into BadData."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadData(f"{path} is no readable Parquet file: {(str(error).splitlines() or [''])[0][:120]}") from error


def same_columns(schemas: dict[Path, pa.Schema]) -> None:
    """Raises BadData that names the first shard whose columns or class names are not those of the first."""
    (first, expected), *others = schemas.items()
    for path, schema in others:
        lacking, extra = (sorted(set(a.names) - set(b.names)) for a, b in ((expected, schema), (schema, expected)))
        if lacking or extra:
            what = f"lacks column '{lacking[0]}' of" if lacking else f"has a column '{extra[0]}' unlike"
            raise BadData(f"{path} {what} {first.name}; shards of one set have the same columns")
        if _features(schema) != _features(expected):
            raise BadData(f"{path} declares other features than {first.name}; shards of one set have the same classes")


def declared_classes(schema: pa.Schema, column: str) -> tuple[str, ...] | None:
    """The names of a Hugging Face ClassLabel column, from the schema's metadata; None where there are none."""
    try:
        names = _features(schema)[column]["names"]
    except (KeyError, TypeError):
        return None
    if isinstance(names, list) and any(isinstance(name, str) and re.search("[\ud800-\udfff]", name) for name in names):
        raise BadData(
            f"a class name of column '{column}' is no valid text (a lone surrogate); mend the file's metadata"
        )
    usable = isinstance(names, list) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return tuple(names) if usable and names else None


def _features(schema: pa.Schema) -> object:
    try:
        return json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def image_type(path: Path, column: str, kind: pa.DataType) -> None:
    """Raises BadData where a column holds neither encoded bytes nor Hugging Face's struct {bytes, path}."""
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        kind = kind.field("bytes").type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise BadData(f"{path}: column '{column}' must hold encoded bytes (JPEG, PNG), not {kind}")


def cells(path: Path, column: str, rows: np.ndarray) -> Iterator[bytes | None]:
    """The encoded bytes of these ascending rows of a file, a few rows in memory at a time."""
    if not len(rows):
        return
    with readable(path), pq.ParquetFile(path) as file:
        start = 0
        for number in range(file.num_row_groups):
            stop = start + file.metadata.row_group(number).num_rows
            if np.searchsorted(rows, start) < np.searchsorted(rows, stop):
                for batch in file.iter_batches(BATCH, row_groups=[number], columns=[column]):
                    inside = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + len(batch))] - start
                    yield from (_bytes(batch.column(0)[row]) for row in inside.tolist())
                    start += len(batch)
            start = stop


def _bytes(cell: pa.Scalar) -> bytes | None:
    if not cell.is_valid:
        return None
    content = (cell["bytes"] if isinstance(cell, pa.StructScalar) else cell).as_buffer()
    return content.to_pybytes() if content is not None and content.size <= MOST_BYTES else None

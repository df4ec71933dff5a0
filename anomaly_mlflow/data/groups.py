"""Rows that must not be torn apart: one source photograph, or the same image twice."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from anomaly_mlflow.data.listing import Raw

__all__ = ["fingerprints", "join_groups"]


def fingerprints(raws: Iterable[Raw]) -> np.ndarray:
    """A 128-bit digest of each raw image, bytes (n,): equal where the bytes are; a missing image equals none."""
    return np.array([_fingerprint(row, raw) for row, raw in enumerate(raws)], dtype="S32")


def _fingerprint(row: int, raw: Raw) -> str:
    if raw is None:
        return f"missing {row}"
    content = raw.tobytes() if isinstance(raw, np.ndarray) else raw
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def join_groups(sample_id: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """Rows that are linked by an equal value of any key, directly or through others, share a group.

    sample_id: int64 (n,); keys: arrays (n,). Returns int64 (n,): the smallest sample_id of the group.
    """
    n = len(sample_id)
    codes = [np.unique(key, return_inverse=True)[1] for key in keys]
    offsets = n + np.arange(len(keys)) * n
    columns = np.concatenate([code + offset for code, offset in zip(codes, offsets, strict=True)])
    rows = np.tile(np.arange(n), len(keys))
    size = n * (len(keys) + 1)
    links = coo_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(size, size))
    component = connected_components(links, directed=False)[1][:n]
    return pd.Series(sample_id).groupby(component).transform("min").to_numpy(dtype=np.int64)

"""Repaired labels as a table beside the data set, which every data source reads back."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from anomaly_mlflow.data.listing import list_source, parse
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadData

__all__ = ["LABELS", "label_table", "refuse_moved"]

LABELS = "cleaned_labels.parquet"
COLUMNS = ["sample_id", "label", "class", "source"]


def label_table(samples: Samples, labels: np.ndarray, dataset: str) -> pd.DataFrame:
    """A row for each sample: sample_id, label, class (its name), source (path of the file, or its index).

    labels: int64 (n,), of these samples in their order; dataset: spec of the source that they are from.
    `labels=parquet:PATH#label` reads the table back, for the same data set, part and seed: it has no row for images
    that were held out.
    """
    names = [samples.classes[one] for one in labels]
    values = (samples.sample_id, labels, names, _titles(samples.sample_id, dataset))
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def refuse_moved(spec: str, sample_id: np.ndarray, dataset: str) -> None:
    """Raises BadData where such a table was written for other images of these ids; any other table may be.

    spec: parquet:PATH#COLUMN, read before. In a folder the ids are positions: one image less moves all that follow.
    """
    where = parse(spec.rpartition("#")[0])
    if where.name != "parquet" or pq.read_schema(where.path).names != COLUMNS:
        return
    written = pd.read_parquet(where.path, columns=["sample_id", "source"]).set_index("sample_id")["source"]
    there = pd.Series(_titles(sample_id, dataset), sample_id)
    other = np.flatnonzero(written.reindex(sample_id).to_numpy() != there.to_numpy())
    if len(other):
        one = sample_id[other[0]]
        told = f"sample {one} was {written[one]} when it was written, and is {there[one]} now"
        raise BadData(f"{where.path}: {told}; bring the data set back to what it was, or clean it again")


def _titles(sample_id: np.ndarray, dataset: str) -> list[str]:
    listing = list_source(dataset)
    return [listing.title(row) for row in pd.Index(listing.sample_id).get_indexer(sample_id)]

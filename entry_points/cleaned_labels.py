"""Repaired labels as a table beside the data set, which every data source reads back."""

import pandas as pd

from anomaly_mlflow.cleaning.repair import repaired_labels
from anomaly_mlflow.data.listing import list_source
from anomaly_mlflow.data.samples import Samples

__all__ = ["LABELS", "cleaned_labels"]

LABELS = "cleaned_labels.parquet"


def cleaned_labels(samples: Samples, frame: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """A row for each sample: sample_id, label, class (its name), source (path of the file, or its index).

    frame: as `repairs` gives it, of these samples in their order; dataset: spec of the source that they are from.
    `labels=parquet:PATH#label` reads the table back, for the same data set, part and seed: it has no row for images
    that were held out.
    """
    labels, listing = repaired_labels(frame), list_source(dataset)
    rows = pd.Index(listing.sample_id).get_indexer(samples.sample_id)
    columns = {"sample_id": samples.sample_id, "label": labels, "class": [samples.classes[one] for one in labels]}
    return pd.DataFrame(columns | {"source": [listing.title(row) for row in rows]})

"""The truth of a study, apart from all that reads signals: trainings read it too."""

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData
from anomaly_mlflow.tracking.run import Run

__all__ = ["read_ledger"]


def read_ledger(noise: Run, sample_id: np.ndarray) -> pd.DataFrame:
    """The ledger in the order of these ids. Raises BadData where it lists other samples."""
    columns = {"sample_id": int, "true_label": int, "given_label": int, "anomaly_type": str, "source": str}
    ledger = noise.frame("ledger.parquet", columns)
    if not np.array_equal(np.sort(ledger["sample_id"]), np.sort(sample_id)):
        raise BadData(f"the ledger of run {noise.id} lists other samples than its labels; run generate_noise again")
    return ledger.set_index("sample_id").loc[sample_id].reset_index()

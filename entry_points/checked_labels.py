"""Labels that people gave when they checked: the rows that these make trusted, and what may not pass for a check."""

import numpy as np

from anomaly_mlflow.data.human_labels import human_labels
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.errors import BadOption, Leakage
from entry_points.noise_checks import columns

__all__ = ["check_table", "refuse_truth", "trusted_rows"]


def check_table(spec: str) -> None:
    """Raises BadOption for columns that make no sense; for file and columns what `human_labels` raises."""
    names = columns(spec)
    if not all(names) or len(set(names)) < len(names):
        raise BadOption(f"checked={spec} must name one or more columns, each once, as in parquet:PATH#COLUMN,COLUMN")
    human_labels(spec, np.empty(0, np.int64), ("",), gaps=True)  # a file that is missing is told before training


def trusted_rows(spec: str, samples: Samples) -> np.ndarray:
    """bool (n,): rows of which every column says the given label; a person who did not check says nothing."""
    return (_checked(spec, samples) == samples.labels).all(axis=0)


def refuse_truth(spec: str, samples: Samples, true_label: np.ndarray) -> None:
    """Raises Leakage where a column is the truth of every sample: no check is, the source's own labels are.

    true_label: int64 (n,), -1 for images of no class.
    """
    shown = true_label >= 0
    is_truth = (_checked(spec, samples)[:, shown] == true_label[shown]).all(axis=1)
    if is_truth.any():
        name = columns(spec)[int(is_truth.argmax())]
        raise Leakage(f"checked={spec}: '{name}' is the true label of every sample, which no check is; name another")


def _checked(spec: str, samples: Samples) -> np.ndarray:
    return human_labels(spec, samples.sample_id, samples.classes, gaps=True)

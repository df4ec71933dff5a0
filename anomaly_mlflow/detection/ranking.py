"""One order of all rows, most suspicious label first, from a few signals of several trainings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from anomaly_mlflow.detection.table import matrix

__all__ = ["SUSPICION", "mean_rank", "suspicion"]

SUSPICION = ("dynamics.late_log_odds", "representation.prototype_margin", "label.log_odds")
"""What the training batches, the prototypes of the model's own embedding and models of other folds say of the label.

Chosen on 10,000 rows of CIFAR-10N (`benchmarks/human_noise.py`); no other row took part in the choice.
"""


def mean_rank(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over scores of each row's rank by n, float64 (n,) in 0..1, ties sharing their mean rank.

    scores: float (n,) each, higher = more suspicious. Ranks make scores of different scales and trainings comparable.
    """
    return np.mean([rankdata(one) / len(one) for one in scores], axis=0)


def suspicion(tables: Sequence[pd.DataFrame]) -> np.ndarray:
    """Mean rank of the signals in SUSPICION over feature tables of the same rows, one per training.

    Raises BadData where a table lacks one of them or holds a value that is not finite.
    """
    return mean_rank(np.concatenate([matrix(table, (), SUSPICION)[1].T for table in tables]))

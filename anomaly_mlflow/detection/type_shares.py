"""The share of every type of error in a data set, from what planted probes tell of its rows."""

import numpy as np

from anomaly_mlflow.detection.label_errors import LabelErrors
from anomaly_mlflow.detection.probe_types import ERRORS
from anomaly_mlflow.detection.statistics import Interval

__all__ = ["type_shares"]


def type_shares(found: LabelErrors) -> dict[str, Interval]:
    """Type of error -> its estimated share of the untouched rows: mean of P(error of this type).

    The interval is that of the share of wrong labels, passed on in proportion: how errors divide among the types adds
    to it, and is not in it.
    """
    share = found.prior.share
    ends = np.array([share.low, share.high]) / share.value if share.value else np.full(2, np.nan)
    mean = {str(kind): float(found.table[f"type.{kind}"].mean()) for kind in ERRORS}
    return {kind: Interval(value, *map(float, value * ends)) for kind, value in mean.items()}

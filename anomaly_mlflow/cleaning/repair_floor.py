"""Whether a repair is more than what models get wrong together where every label is right."""

import numpy as np
import pandas as pd

from anomaly_mlflow.cleaning.repair import LEAST_CONFIDENCE, ROUNDING, Reason

__all__ = ["FLOOR", "left_alone", "repairable_share"]

FLOOR = 0.12
"""Least repairable share at which labels are changed, an empirical threshold: between the largest share seen where all
labels are right (Fashion-MNIST) and the smallest one with a fifth wrong (digits; docs/cleaning.md)."""

AGREED = ("", str(Reason.NOT_SURE), str(Reason.BEYOND_CLASS_CAP), str(Reason.BEYOND_CAP))
"""Reasons (empty: a candidate) of labels against which there are witnesses enough."""


def repairable_share(frame: pd.DataFrame, predicted: np.ndarray) -> float:
    """Of the labels that models of other folds contradict, the share that two witnesses are surely against, 0 to 1.

    frame: as of `repairs`, at any confidence and caps, before `left_alone`; predicted: int64 (n,), class of each row by
    a model that never saw it. Sure is who is as sure as LEAST_CONFIDENCE says, whatever was asked for. A label that is
    wrong is mostly contradicted surely, and one that is right mostly not; the share says which of the two the
    contradicted labels are like. 0 where none is contradicted.
    """
    contradicted = predicted != frame["given"].to_numpy()
    sure = frame["reason"].isin(AGREED) & (frame["confidence"] >= LEAST_CONFIDENCE - ROUNDING)
    return float(sure[contradicted].mean()) if contradicted.any() else 0.0


def left_alone(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame of `repairs` with no label changed or set aside; the reasons say which ones would have been."""
    reason = frame["reason"].where(~frame["set_aside"], str(Reason.BELOW_FLOOR_ASIDE))
    reason = reason.where(~frame["repaired"], str(Reason.BELOW_FLOOR))
    return frame.assign(repaired=False, reason=reason, set_aside=False)

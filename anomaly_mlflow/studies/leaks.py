"""Whether truth, or what chose the hard rows, could have reached a signal: checked in every study, before a verdict."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.table import signal_columns
from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.training.folds import seen_digest

__all__ = ["check_references", "check_selector"]

COPY = 0.999  # rank correlation from which a signal counts as a copy of what chose the hard rows


def check_references(plan: pd.DataFrame, seen: Sequence[str], ledger: pd.DataFrame) -> None:
    """Raises Leakage where a row that is not clean stands in a reference set or taught an encoder of the clean side.

    plan: as `training.folds.read_plan` gives it; seen: for each fold the digest (`seen_digest`) of the sample ids that
    its encoder was trained on, as stored with its weights; ledger: the truth. An encoder may have been trained on
    nothing but the reference rows of the other folds. Raises BadData where the plan is one of other samples.
    """
    truth = ledger.set_index("sample_id")["anomaly_type"]
    if set(plan["sample_id"]) != set(truth.index) or len(plan) != len(truth):
        raise BadData("the clean side was made from other samples than the ledger; name runs of one study")
    types = truth.loc[plan["sample_id"]].to_numpy()
    unclean = pd.Series(types[plan["reference"] & (types != AnomalyType.CLEAN)]).value_counts()
    if len(unclean):
        found = ", ".join(f"{count} {kind}" for kind, count in unclean.items())
        raise Leakage(f"the clean side learnt from rows that are not clean ({found}); run train_clean again")
    ids, fold, reference = (plan[name].to_numpy() for name in ("sample_id", "fold", "reference"))
    if len(seen) != fold.max() + 1:
        raise BadData(f"the clean side has {len(seen)} encoders for {fold.max() + 1} folds; run train_clean again")
    for k, digest in enumerate(seen):
        if digest != seen_digest(ids[reference & (fold != k)]):
            raise Leakage(
                f"the encoder of fold {k} was trained on other rows than the plan says, hard ones or those it judges "
                "may be among them; run train_clean again"
            )


def check_selector(features: pd.DataFrame, sample_id: np.ndarray, margin: np.ndarray) -> None:
    """Raises Leakage where a signal is a copy of the out-of-fold margin that chose the hard rows.

    sample_id: int64 (n,), margin: float64 (n,), of the model that chose; a copy is what puts all rows into the same
    order or its reverse (rank correlation of .999 and more).
    """
    known = pd.Series(margin, index=sample_id).reindex(features["sample_id"])
    if known.isna().any():
        raise BadData("the model that chose the hard rows judged other samples; name runs of one study")
    ranks = _standardised(rankdata(known))
    columns = signal_columns(features)
    copies = [name for name in columns if abs(np.mean(ranks * _standardised(rankdata(features[name])))) >= COPY]
    if copies:
        raise Leakage(f"{copies[0]} repeats the margin that chose the hard rows; no signal may come from that model")


def _standardised(ranks: np.ndarray) -> np.ndarray:
    """Mean 0 and variance 1; all 0 where all are equal."""
    centred = ranks - ranks.mean()
    return centred / (centred.std() or 1.0)

"""Feature tables: one row per sample_id, one column `family.signal` per signal."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import BadData, Leakage
from anomaly_mlflow.signals.base import FAMILIES

__all__ = ["join", "matrix", "signal_columns"]

ID = "sample_id"


def signal_columns(features: pd.DataFrame, families: Sequence[str] = FAMILIES) -> list[str]:
    """The columns of these families, in the order of the frame."""
    return [column for column in features.columns if str(column).split(".")[0] in families and "." in str(column)]


def matrix(
    features: pd.DataFrame, families: Sequence[str] = FAMILIES, extra: Sequence[str] = ()
) -> tuple[list[str], np.ndarray]:
    """Column names and values of the signals of these families, followed by the extra columns.

    Values are float64 (n, columns), rows in the order of the frame.
    Raises BadData where no column is left, an extra one is missing, or a value is not finite.
    """
    columns = list(dict.fromkeys([*signal_columns(features, families), *extra]))
    missing = [column for column in columns if column not in features.columns]
    if missing or not columns:
        raise BadData(f"the feature table lacks {_listed(missing or families)}; extract these signals first")
    values = features[columns].to_numpy(dtype=np.float64)
    broken = [column for column, finite in zip(columns, np.isfinite(values).all(axis=0), strict=True) if not finite]
    if broken:
        raise BadData(f"values of {_listed(broken)} are not finite; extract the features again")
    return columns, values


def join(features: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger's columns and the signals, one row per sample, in the order of the ledger.

    This is the one place where truth meets signals; nothing that comes out of it may go back to a signal.
    Raises Leakage where a feature column is no `family.signal` of a known family or bears the name of a ledger
    column (then truth may already stand among the features), BadData where the ids of both sides differ or repeat.
    """
    _refuse_truth(features, ledger)
    if ID not in features.columns:
        raise BadData("the feature table has no sample_id column; extract the features again")
    left, right = pd.Index(features[ID]), pd.Index(ledger[ID])
    if left.has_duplicates or right.has_duplicates:
        raise BadData("sample ids repeat in the feature table or the ledger; each sample has one row")
    odd = left.symmetric_difference(right)
    if len(odd):
        raise BadData(f"features and ledger differ in {len(odd)} sample ids (first: {odd[0]}); use tables of one run")
    return ledger.merge(features, on=ID, how="left", sort=False, validate="one_to_one")


def _refuse_truth(features: pd.DataFrame, ledger: pd.DataFrame) -> None:
    truth = set(ledger.columns) - {ID}
    for column in map(str, features.columns):
        family, _, name = column.partition(".")
        if column == ID:
            continue
        if truth & {column, family, name}:
            raise Leakage(f"feature column '{column}' bears the name of a ledger column; drop it from the features")
        if family not in FAMILIES or not name:
            raise Leakage(f"feature column '{column}' is not of the form family.signal ({_listed(FAMILIES)}); drop it")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(str, names))

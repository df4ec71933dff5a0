"""The feature table: one row per sample, one column per signal."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from anomaly_mlflow.errors import AnomalyError
from anomaly_mlflow.signals.base import SIGNALS, Signal, find
from anomaly_mlflow.signals.evidence import Evidence

__all__ = ["feature_table"]


def feature_table(evidence: Evidence, names: Iterable[str] | None = None) -> pd.DataFrame:
    """Evaluate signals by name, all registered ones where no names are given.

    Columns: sample_id (int64), then one float64 column `family.signal` each, higher = more suspicious.
    Raises UnknownName, MissingEvidence, and AnomalyError where a signal fails or a value is missing or not finite.
    """
    chosen = [find(name) for name in (SIGNALS if names is None else names)]
    columns = {signal.column: _finite(signal, evidence) for signal in chosen}
    return pd.DataFrame({"sample_id": evidence.sample_id, **columns})


def _finite(signal: Signal, evidence: Evidence) -> np.ndarray:
    try:
        values = signal(evidence)
    except AnomalyError:
        raise
    except (Exception, SystemExit) as error:  # whatever a stranger's signal raises
        reason = " ".join(repr(error).split())
        raise AnomalyError(f"signal '{signal.name}' fails ({reason}); mend it or leave it out of signals") from error
    if values.shape != evidence.sample_id.shape:
        raise AnomalyError(
            f"signal '{signal.name}' gives values of shape {values.shape}, one a sample is {evidence.sample_id.shape}; "
            "mend it or leave it out of signals"
        )
    bad = ~np.isfinite(values)
    if bad.any():
        first = evidence.sample_id[bad][0]
        raise AnomalyError(
            f"signal '{signal.name}' is not finite for {bad.sum()} of {len(bad)} samples (first: sample_id {first}); "
            f"check {', '.join(signal.needs)} for NaN or overflow"
        )
    return values

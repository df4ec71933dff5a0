"""All that the report shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.detection.explain import Explanation
from anomaly_mlflow.report.curves import Curves
from anomaly_mlflow.report.gallery import Entry

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """One study.

    samples: as trained on, after injection; ledger: their truth; rates: as `anomalies.rates` counts them.
    curves, features: one per seed of the noisy model. auroc: as `auroc_by_type`, verdicts: as `judge`, gallery: as
    `gallery` give them. settings, environment, links: name -> value, printed as they are (links as text: the page
    refers to nothing outside itself).
    """

    samples: Samples
    ledger: pd.DataFrame
    rates: Mapping[str, float | str]
    curves: Sequence[Curves]
    features: Sequence[pd.DataFrame]
    auroc: pd.DataFrame
    verdicts: pd.DataFrame
    explanation: Explanation
    gallery: Mapping[AnomalyType, Sequence[Entry]]
    settings: Mapping[str, object]
    environment: Mapping[str, object]
    links: Mapping[str, str] = field(default_factory=dict)

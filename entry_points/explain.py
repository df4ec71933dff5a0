"""Feature tables and ledger -> type classifier, held-out probabilities and SHAP values."""

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.explain import Explanation
from anomaly_mlflow.detection.explain import explain as explain_types
from anomaly_mlflow.report.figures import shap_bars, shap_beeswarm
from anomaly_mlflow.tracking.run import Run
from entry_points.jobs import jobs_of
from entry_points.judged import read_judged
from entry_points.step import Upstream, step

__all__ = ["read_explanation"]


@step("explain", own=("seed", "seeds"), needs=("generate_noise", "extract_features"))
def explain(run: Run, options: dict, upstream: Upstream) -> None:
    """Fit the type classifier fold by fold and explain its held-out rows by SHAP."""
    judged = read_judged(upstream)
    found = explain_types(judged.features, judged.ledger, judged.groups, seed=options["seed"], jobs=jobs_of(options))
    run.log_frame(_table(found, found.probability, found.types), "type_probabilities.parquet")
    run.log_frame(_table(found, found.percentile, found.columns), "percentiles.parquet")
    for position, kind in enumerate(found.types):
        run.log_frame(_table(found, found.values[:, :, position], found.columns), f"shap/{kind}.parquet")
        run.log_figure(shap_bars(found, kind), f"shap/{kind}.png")
    run.log_figure(shap_beeswarm(found), "shap/beeswarm.png")
    predicted = np.array(found.types)[found.probability.argmax(axis=1)]
    confusion = pd.crosstab(judged.ledger["anomaly_type"], predicted, rownames=["type"], colnames=["predicted"])
    run.log_table(confusion.reset_index(), "confusion.json")
    run.log_metrics({"type_accuracy": float((predicted == judged.ledger["anomaly_type"]).mean())})


def read_explanation(run: Run) -> Explanation:
    """What `explain` logged."""
    probability, percentile = run.frame("type_probabilities.parquet"), run.frame("percentiles.parquet")
    types = tuple(AnomalyType(name) for name in probability.columns[1:])
    values = [run.frame(f"shap/{kind}.parquet").drop(columns="sample_id").to_numpy() for kind in types]
    columns = list(percentile.columns[1:])
    return Explanation(
        probability["sample_id"].to_numpy(),
        types,
        columns,
        percentile[columns].to_numpy(),
        probability[list(types)].to_numpy(),
        np.stack(values, axis=2),
    )


def _table(found: Explanation, values: np.ndarray, columns: object) -> pd.DataFrame:
    return pd.DataFrame({"sample_id": found.sample_id, **dict(zip(columns, values.T, strict=True))})

"""Feature tables and ledger -> type classifier, held-out probabilities, SHAP values: of types, of pairs, over seeds."""

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.detection.explain import Explanation
from anomaly_mlflow.detection.explain import explain as explain_types
from anomaly_mlflow.detection.explain_detector import explain_detector
from anomaly_mlflow.detection.pairs import pair_importance, rank_stability
from anomaly_mlflow.detection.table import join
from anomaly_mlflow.errors import BadOption
from anomaly_mlflow.report.figures import pair_bars, shap_bars, shap_beeswarm
from anomaly_mlflow.tracking.run import Run
from entry_points.detector_model import registered_detector
from entry_points.jobs import jobs_of
from entry_points.judged import Judged, read_judged
from entry_points.step import Upstream, step

__all__ = ["read_explanation"]

STRONGEST = 5


def check_detector(options: dict) -> None:
    """Raise BadOption unless the detector is `types` or a registered model, and what reading that one raises."""
    name = options["detector"]
    if name != "types" and not name.startswith("models:/"):
        raise BadOption(f"detector={name} is neither types nor a registered model (models:/NAME@champion)")
    if name != "types":
        registered_detector(name)  # one that is missing or damaged is told before hours of training


@step(
    "explain",
    own=("seed", "seeds", "detector"),
    needs=("generate_noise", "extract_features"),
    check=check_detector,
)
def explain(run: Run, options: dict, upstream: Upstream) -> None:
    """Explain what the type classifier, and a registered detector if one is named, say of held-out rows, by SHAP."""
    judged = read_judged(upstream)
    types = judged.ledger["anomaly_type"].to_numpy()
    seed = options["seed"]
    found, each = explain_types(judged.features, judged.ledger, judged.groups, seed=seed, jobs=jobs_of(options))
    run.log_frame(_table(found, found.probability, found.types), "type_probabilities.parquet")
    called = pd.DataFrame({"sample_id": found.sample_id, "called": [str(found.types[k]) for k in found.called]})
    run.log_frame(called, "called.parquet")
    run.log_frame(_table(found, found.percentile, found.columns), "percentiles.parquet")
    for position, kind in enumerate(found.types):
        run.log_frame(_table(found, found.values[:, :, position], found.columns), f"shap/{kind}.parquet")
        run.log_figure(shap_bars(found, kind), f"shap/{kind}.png")
    run.log_figure(shap_beeswarm(found), "shap/beeswarm.png")
    confusion = pd.crosstab(types, called["called"].to_numpy(), rownames=["type"], colnames=["predicted"])
    run.log_table(confusion.reset_index(), "confusion.json")
    run.log_metrics({"type_accuracy": float((called["called"] == types).mean())})
    pairs = pair_importance(found.values, types, found.types, found.columns)
    run.log_frame(pairs, "pairs.csv")
    run.log_table(pairs.groupby(["first", "second"], sort=False).head(STRONGEST).round(3), "pairs.json")
    run.log_figure(pair_bars(pairs), "pairs.png")
    stability = rank_stability([np.abs(values) for values in each], judged.groups, found.types, seed=seed)
    run.log_frame(stability, "stability.csv")
    run.log_table(stability.round(3), "stability.json")
    if len(stability):
        run.log_metrics({"shap_rank_correlation": float(stability["correlation"].iloc[-1])})
    if options["detector"] != "types":
        _explain_registered(run, options["detector"], judged, seed)
    if "mlflow.parentRunId" not in run.tags:
        print(_lines(pairs, stability))


def read_explanation(run: Run) -> Explanation:
    """What `explain` logged."""
    probability, percentile = run.frame("type_probabilities.parquet"), run.frame("percentiles.parquet")
    types = tuple(AnomalyType(name) for name in probability.columns[1:])
    values = [run.frame(f"shap/{kind}.parquet").drop(columns="sample_id").to_numpy() for kind in types]
    columns = list(percentile.columns[1:])
    called = run.frame("called.parquet", {"sample_id": int, "called": str})["called"]
    return Explanation(
        probability["sample_id"].to_numpy(),
        types,
        columns,
        percentile[columns].to_numpy(),
        probability[list(types)].to_numpy(),
        np.array([types.index(name) for name in called]),
        np.stack(values, axis=2),
    )


def _explain_registered(run: Run, name: str, judged: Judged, seed: int) -> None:
    model, columns = registered_detector(name)
    tables = [join(frame, judged.ledger) for frame in judged.features]
    strength, values = explain_detector(model, columns, tables, seed=seed)
    run.log_frame(values, "detector/shap.parquet")
    run.log_frame(strength, "detector/strength.csv")
    run.log_table(strength.head(20).round(4), "detector/strength.json")


def _table(found: Explanation, values: np.ndarray, columns: object) -> pd.DataFrame:
    return pd.DataFrame({"sample_id": found.sample_id, **dict(zip(columns, values.T, strict=True))})


def _lines(pairs: pd.DataFrame, stability: pd.DataFrame) -> str:
    """What separates each pair, and how far the seeds agree."""
    lines = ["what separates a pair of types (share of all that moves the gap in log-odds)"]
    for (first, second), own in pairs.groupby(["first", "second"], sort=False):
        best = ", ".join(f"{row.signal} {row.share:.0%}" for row in own.head(3).itertuples())
        lines.append(f"  {first:<12} {second:<12} {best}")
    for row in stability.itertuples():
        ends = f"{row.correlation:.3f} ({row.low:.3f} to {row.high:.3f})"
        lines.append(f"rank correlation of mean |SHAP| between seeds, {row.type}: {ends}")
    return "\n".join(lines)

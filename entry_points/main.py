"""The whole study, every step a run of its own, and its report."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import mode

from anomaly_mlflow.report.content import Report
from anomaly_mlflow.report.curves import Curves
from anomaly_mlflow.report.gallery import gallery
from anomaly_mlflow.report.html import render
from anomaly_mlflow.studies.hypotheses import headline, verdict_lines
from anomaly_mlflow.tracking.run import Run
from anomaly_mlflow.tracking.server import has_server
from anomaly_mlflow.training.epoch_files import read_recording
from entry_points.environment import environment
from entry_points.explain import read_explanation
from entry_points.judge import claim_metrics
from entry_points.judged import read_judged
from entry_points.options import as_typed
from entry_points.sample_files import read_samples
from entry_points.step import STEPS, Upstream, only, step

NEEDS = (
    "train_baseline",
    "generate_noise",
    "train_clean",
    "train_folds",
    "train_probes",
    "extract_features",
    "judge",
    "explain",
)


@step("main", own=("seed", "seeds"), needs=NEEDS)
def main(run: Run, options: dict, upstream: Upstream) -> None:
    """Run the whole study: baseline, noise, clean and noisy models, features, verdicts, SHAP, and one report page."""
    judged_by = only(upstream, "judge")
    auroc = pd.read_csv(judged_by.path("auroc_by_type.csv"), index_col=0)
    verdicts = pd.read_csv(
        judged_by.path("verdicts.csv"), keep_default_na=False, na_values={"value": "", "low": "", "high": ""}
    )
    run.log_frame(auroc.reset_index(), "auroc_by_type.csv")
    run.log_frame(pd.read_csv(judged_by.path("best_by_family.csv")), "best_by_family.csv")
    run.log_frame(verdicts, "verdicts.csv")
    run.log_metrics(claim_metrics(verdicts))
    judged = read_judged(upstream)
    for number, features in enumerate(judged.features):
        seed = upstream["extract_features"][number].json("config.json")["training_seed"]
        run.log_frame(features, f"features/training_seed={seed}.parquet")
    run.log_frame(judged.features[0], "features.parquet")
    report = render(_report(run, options, upstream, auroc, verdicts))
    run.log_text(report, "report.html")
    _tell(run, verdicts, report)


def _report(run: Run, options: dict, upstream: Upstream, auroc: pd.DataFrame, verdicts: pd.DataFrame) -> Report:
    noise, judged = only(upstream, "generate_noise"), read_judged(upstream)
    samples, _ = read_samples(noise)
    explanation = read_explanation(only(upstream, "explain"))
    suggested = [made.frame("suggestions.parquet")["suggested_label"] for made in upstream["extract_features"]]
    return Report(
        samples=samples,
        ledger=judged.ledger,
        rates=noise.json("rates.json"),
        curves=[_curves(Run(made.json("upstream.json")["train_noisy"][0])) for made in upstream["extract_features"]],
        features=judged.features,
        auroc=auroc,
        verdicts=verdicts,
        explanation=explanation,
        gallery=gallery(explanation, samples, judged.ledger, mode(np.stack(suggested), axis=0).mode),
        settings=as_typed(options, STEPS["main"].options),
        environment=environment(),
        links={
            "this run": run.link,
            **{f"{name} {i}": one.link for name, runs in upstream.items() for i, one in enumerate(runs)},
        },
    )


def _curves(noisy: Run) -> Curves:
    recording = read_recording(noisy.path("recording"))
    return Curves(recording.loss, recording.confidence, np.array(noisy.metric_history("test_accuracy")))


def _tell(run: Run, verdicts: pd.DataFrame, report: str) -> None:
    print(f"\n{verdict_lines(headline(verdicts))}\n")
    print(f"run:    {run.link}")
    if has_server():  # else the page lies on this machine already, and where it lies is printed in the end
        path = Path("report.html").absolute()
        path.write_text(report)
        print(f"report: {path}")

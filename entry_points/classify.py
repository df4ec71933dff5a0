"""Feature tables and ledger -> the type classifier's held-out probabilities, calls, calibration, and its ablation."""

import re

import numpy as np
import pandas as pd

from anomaly_mlflow.detection.ablation import ablation
from anomaly_mlflow.detection.judge_types import TypeJudgement, fit_types, type_judgement
from anomaly_mlflow.detection.table import join, matrix
from anomaly_mlflow.detection.type_limits import limits
from anomaly_mlflow.detection.type_scores import calibration_table, confusion_table, risk_curves, type_scores
from anomaly_mlflow.detection.types import MERGED, TYPES, type_codes, type_folds
from anomaly_mlflow.report.types_page import types_page
from anomaly_mlflow.tracking.run import Run
from entry_points.environment import environment
from entry_points.jobs import jobs_of
from entry_points.judged import Judged, read_judged
from entry_points.options import as_typed
from entry_points.step import STEPS, Upstream, only, step

EACH, MEAN = "each seed", "mean of seeds"
HEADLINE = ("macro_f1", "macro_f1_six", "calibration_error", "calibration_error_classwise")


@step("classify", own=("seed", "seeds", "draws"), needs=("generate_noise", "extract_features"))
def classify(run: Run, options: dict, upstream: Upstream) -> None:
    """Classify the types of held-out rows with calibrated probabilities; abstain; ablate families and signals."""
    judged = read_judged(upstream)
    seed, draws, jobs = options["seed"], options["draws"], jobs_of(options)
    types = judged.ledger["anomaly_type"].to_numpy()
    matrices = [matrix(join(frame, judged.ledger)) for frame in judged.features]
    columns, X = matrices[0][0], np.stack([values for _, values in matrices])
    found = _judgements(X, types, judged.groups, seed, jobs)
    kinds = {EACH: found[: len(X)], MEAN: found[len(X) :]}
    scores = pd.concat(
        [
            type_scores(own, judged.ledger, judged.groups, draws=draws, seed=seed).assign(features=name)
            for name, own in kinds.items()
            if own
        ],
        ignore_index=True,
    )
    each = kinds[EACH]
    parts = {
        "type_scores": scores,
        "confusion": confusion_table(each, judged.ledger, merged=False),
        "confusion_merged": confusion_table(each, judged.ledger, merged=True),
        "calibration": calibration_table(each, judged.ledger),
        "limits": limits(each, judged.ledger),
        "ablation": ablation(columns, X, types, judged.groups, seed=seed, draws=min(draws, 500), jobs=jobs),
    }
    for name, frame in parts.items():
        run.log_frame(frame, f"{name}.csv")
    for name in ("type_scores", "confusion_merged", "limits"):
        run.log_table(parts[name].round(3), f"{name}.json")
    run.log_frame(_probabilities(judged, found[-1]), "type_probabilities.parquet")
    curves, points = risk_curves(each, judged.ledger)
    rates = only(upstream, "generate_noise").json("rates.json")
    facts = {**as_typed(options, STEPS["classify"].options), **environment()}
    figures, page = types_page(parts, curves, points, rates, facts)
    for name, figure in figures.items():
        run.log_figure(figure, f"{name}.png")
    run.log_text(page, "report.html")
    top = scores[(scores["features"] == EACH) & scores["score"].isin([*HEADLINE, "ood_f1"])]
    run.log_metrics(
        {row.score + (f".{_plain(row.what)}" if row.score == "ood_f1" else ""): row.value for row in top.itertuples()}
    )
    if "mlflow.parentRunId" not in run.tags:
        print(_lines(scores))


def _judgements(X: np.ndarray, types: np.ndarray, groups: np.ndarray, seed: int, jobs: int) -> list[TypeJudgement]:
    """One per seed and, of several, one on the signals' means over the seeds."""
    tables = np.concatenate([X, X.mean(axis=0, keepdims=True)]) if len(X) > 1 else X
    codes = type_codes(types)
    fitted = fit_types(tables, codes, groups, type_folds(codes, groups, seed), seed, jobs)
    return [type_judgement(folds, own) for folds, own in zip(fitted, tables, strict=True)]


def _probabilities(judged: Judged, one: TypeJudgement) -> pd.DataFrame:
    called = np.array(MERGED, dtype=object)[one.merged_called]
    frame = pd.DataFrame(one.probability, columns=[str(kind) for kind in TYPES])
    frame.insert(0, "sample_id", judged.ledger["sample_id"].to_numpy())
    return frame.assign(called=np.where(one.abstains, "abstains", called), would_call=called)


def _plain(source: str) -> str:
    """A source's name as part of a metric's: MLflow takes letters, digits and a few signs, folders have any."""
    return re.sub(r"[^\w.\- ]", "_", source)


def _lines(scores: pd.DataFrame) -> str:
    """A compact table for the terminal."""
    lines = [f"{'score':<28} {'of':<26} {'signals':<14} {'value':>6}  interval"]
    for row in scores.itertuples():
        ends = "" if np.isnan(row.low) else f"{row.low:.3f} to {row.high:.3f}"
        lines.append(f"{row.score:<28} {row.what:<26} {row.features:<14} {row.value:6.3f}  {ends}")
    return "\n".join(lines)

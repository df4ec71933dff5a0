"""What the type classifier would leave on planted tables: each row called its own type in two cases of three."""

import numpy as np
import pandas as pd
import synthetic

from anomaly_mlflow.anomalies.types import MADE
from anomaly_mlflow.detection.judge_types import TypeJudgement
from anomaly_mlflow.detection.pairs import pair_importance
from anomaly_mlflow.detection.type_limits import limits
from anomaly_mlflow.detection.type_scores import calibration_table, confusion_table, risk_curves, type_scores
from anomaly_mlflow.detection.types import merge_codes, type_codes

COUNTS = {kind: 40 for kind in MADE}


def judgements(truth, seeds=2):
    generator = np.random.default_rng(0)
    codes = type_codes(truth["anomaly_type"].to_numpy())
    found = []
    for _ in range(seeds):
        called = np.where(generator.random(len(codes)) < 2 / 3, codes, generator.integers(0, 6, len(codes)))
        probability = generator.dirichlet(np.ones(6), len(codes)) * 0.4
        probability[np.arange(len(codes)), called] += 0.6
        probability = np.concatenate([probability, np.zeros((len(codes), 1))], axis=1)
        found.append(TypeJudgement(probability, called, merge_codes(called), generator.random(len(codes)) < 0.3))
    return found


def ablation_frame():
    rows = [("all", "all signals", 0.7), ("only", "label", 0.5), ("all_but", "label", 0.65), ("only", "image", 0.2)]
    rows += [("permuted", "label.loss", 0.6), ("dropped", "label.loss", 0.69), ("all_but", "image", 0.7)]
    return pd.DataFrame(
        {
            "measure": measure,
            "how": how,
            "what": what,
            "value": value,
            "low": value - 0.02,
            "high": value + 0.02,
            "loss": 0.7 - value,
            "loss_low": 0.68 - value,
            "loss_high": 0.72 - value,
        }
        for measure in ("macro_f1", "near_miss_vs_hard")
        for how, what, value in rows
    )


def type_parts():
    """The tables, the curves of risk and coverage, and the importance of pairs."""
    truth = synthetic.ledger(COUNTS)
    truth["source"] = np.where(truth["anomaly_type"] == "ood", np.where(truth.index % 2, "noise#1", "textures#2"), "")
    judged, groups = judgements(truth), np.arange(len(truth))
    parts = {
        "type_scores": type_scores(judged, truth, groups, draws=100).assign(features="each seed"),
        "confusion": confusion_table(judged, truth, merged=False),
        "confusion_merged": confusion_table(judged, truth, merged=True),
        "calibration": calibration_table(judged, truth),
        "limits": limits(judged, truth),
        "ablation": ablation_frame(),
    }
    values = np.random.default_rng(0).normal(size=(len(truth), len(synthetic.COLUMNS), 6))
    pairs = pair_importance(values, truth["anomaly_type"].to_numpy(), MADE, synthetic.COLUMNS)
    return parts, risk_curves(judged, truth), pairs

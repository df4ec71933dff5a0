"""Clean side, recordings and trainings at several noise rates -> what theory predicts beside what was measured."""

import numpy as np
import pandas as pd

from anomaly_mlflow.anomalies.types import AnomalyType
from anomaly_mlflow.data.samples import Samples
from anomaly_mlflow.report.figures.theory import correlation_bars, mean_trajectories, pair_scatter, rate_curve
from anomaly_mlflow.report.page import Section, render_page
from anomaly_mlflow.signals import Evidence, find
from anomaly_mlflow.signals.collect import cross_fitted
from anomaly_mlflow.studies.theory.bayes_entropy import calibrated
from anomaly_mlflow.studies.theory.pair_agreement import PREDICTIONS, injected_pairs, pair_agreement
from anomaly_mlflow.studies.theory.pairs import class_distances, pair_table
from anomaly_mlflow.studies.theory.rates import coincidence, rate_row
from anomaly_mlflow.studies.theory.trajectories import predict_trajectories, type_table
from anomaly_mlflow.studies.theory.words import flow_words, pair_words, rate_words
from anomaly_mlflow.tracking.registry import model_folder
from anomaly_mlflow.tracking.run import Run
from entry_points.ledger import read_ledger
from entry_points.options import as_typed
from entry_points.sample_files import read_samples
from entry_points.step import STEPS, Upstream, only, step
from entry_points.theory_runs import baseline_posterior, check_rates, clean_logits, rate_cells, read_recorded

CAPTIONS = {
    "pairs": "A point is a pair of classes; on the dashed line prediction and measurement agree; axes stretched to 1.",
    "rates": "Above .5 near misses are the less sure ones, below .5 the hard images; bars: 95 % over source groups.",
    "trajectories": "Only one scalar an epoch is fitted, to the mean of all rows; how types differ is predicted.",
    "correlations": "Points: Spearman's correlation, bars: 95 % over seeds and source groups.",
}


@step(
    "theory",
    own=("seed", "seeds", "draws", "near_miss_rates"),
    needs=("train_baseline", "generate_noise", "train_clean", "train_noisy"),
    check=check_rates,
)
def theory(run: Run, options: dict, upstream: Upstream) -> None:
    """Set what theory predicts of class pairs, noise rates and loss trajectories beside what was measured."""
    noise = only(upstream, "generate_noise")
    samples, _ = read_samples(noise)
    ledger = read_ledger(noise, samples.sample_id)
    clean_side = model_folder(only(upstream, "train_clean"))
    folds = cross_fitted(samples, clean_side)
    resample = {"draws": options["draws"], "seed": options["seed"]}
    sections = [
        _pairs(run, samples, ledger, folds, resample),
        _trajectories(run, samples, ledger, folds, read_recorded(run, options, upstream["train_noisy"]), resample),
    ]
    posterior, true = baseline_posterior(only(upstream, "train_baseline"), samples)
    independent = np.full(posterior.shape, np.nan)
    kept = (ledger["anomaly_type"] != AnomalyType.OOD).to_numpy()
    logits = clean_logits(clean_side, folds, samples.num_classes)
    independent[kept] = calibrated(logits[kept], true[kept])[1]
    rows = [rate_row(cell, **resample) for cell in rate_cells(run, options, samples, posterior, independent)]
    sections.insert(1, _rates(run, pd.DataFrame(rows)))
    facts = as_typed(options, STEPS["theory"].options) | {"this run": run.link}
    run.log_text(render_page("Theory beside measurement", _lead(sections), sections, facts), "report.html")


def _pairs(run: Run, samples: Samples, ledger: pd.DataFrame, folds: list, resample: dict) -> Section:
    clean = (ledger["anomaly_type"] == AnomalyType.CLEAN).to_numpy()
    table = pair_table(folds, samples.labels, clean, samples.groups, samples.classes)
    found = class_distances(folds, samples.num_classes)
    agreement = pair_agreement(table, found, samples.labels, clean, samples.groups, samples.classes, **resample)
    injected = injected_pairs(table, found, ledger, samples.groups, samples.classes, **resample)
    run.log_frame(table, "t1_pairs.csv")
    run.log_table(table.round(4), "t1_pairs.json")
    run.log_frame(injected, "t1_injected.csv")
    for name, ends in agreement.items():
        run.log_metrics({f"t1/{name}.spearman": ends.value} | _ends(f"t1/{name}.spearman", ends.low, ends.high))
        if name != "prototype_gap":
            error = float((table[name] - table[PREDICTIONS[name]]).abs().mean())
            run.log_metrics({f"t1/{name}.mean_absolute_error": error})
    figure = pair_scatter(table, injected)
    run.log_figure(figure, "t1_pairs.png")
    text = pair_words(table, agreement, injected)
    return Section("T1: prototype distance, class pair by class pair", text, [(figure, CAPTIONS["pairs"])], injected)


def _rates(run: Run, table: pd.DataFrame) -> Section:
    run.log_frame(table, "t2_rates.csv")
    run.log_table(table.round(4), "t2_rates.json")
    for name in ("predicted", "predicted_independent", "predicted_spared"):
        run.log_metrics({f"t2/{name}.mean_absolute_error": float((table[name] - table["measured"]).abs().mean())})
    for name in ("predicted", "predicted_independent", "predicted_spared", "measured"):
        rate = coincidence(table["noise_rate"], table[name])
        run.log_metrics({} if np.isnan(rate) else {f"t2/{name}.coincidence": rate})
    figure = rate_curve(table)
    run.log_figure(figure, "t2_rates.png")
    return Section("T2: entropy at the Bayes optimum", rate_words(table), [(figure, CAPTIONS["rates"])], table)


def _trajectories(
    run: Run, samples: Samples, ledger: pd.DataFrame, folds: list, recorded: object, resample: dict
) -> Section:
    types = ledger["anomaly_type"].to_numpy()
    mean = recorded.brier.mean(axis=(0, 2))
    predicted = predict_trajectories(folds, samples.labels, samples.num_classes, mean)
    evidence = Evidence(samples.sample_id, samples.labels, samples.num_classes, references=folds)
    static = find("prototype_distance")(evidence)
    table = type_table(predicted, recorded, types, samples.groups, static, **resample)
    run.log_frame(table, "t3_types.csv")
    run.log_table(table.round(4), "t3_types.json")
    for row in table.itertuples():
        ends = _ends(f"t3/{row.anomaly_type}.spearman", row.loss_low, row.loss_high)
        run.log_metrics({f"t3/{row.anomaly_type}.spearman": row.loss} | ends)
    run.log_frame(
        pd.DataFrame({"epoch": np.arange(len(mean)), "flow_time": predicted.times, "recorded": mean}), "t3_times.csv"
    )
    curves, bars = mean_trajectories(predicted, recorded, types), correlation_bars(table)
    run.log_figure(curves, "t3_trajectories.png")
    run.log_figure(bars, "t3_correlations.png")
    figures = [(curves, CAPTIONS["trajectories"]), (bars, CAPTIONS["correlations"])]
    return Section("T3: kernel gradient flow", flow_words(table, predicted), figures, table)


def _ends(name: str, low: float, high: float) -> dict[str, float]:
    return {} if np.isnan(low) else {f"{name}.low": low, f"{name}.high": high}


def _lead(sections: list[Section]) -> str:
    return " ".join(section.text[0] for section in sections)
